// Starts Millrace as a user does: node, the compiled command line, one server.properties.
import { join } from 'node:path'
import { cleanEnvironment, freePorts, writeProperties } from '../../test/cluster/broker-files.js'
import { BrokerProcess, COMMON_CONFIG, type Launch } from './broker.js'
import type { Started } from './contract.js'
import { launch, root } from './processes.js'

export async function startMillrace(how: Launch): Promise<Started & { target: BrokerProcess }> {
  const [port = 0] = await freePorts(1)
  const properties = join(how.folder, 'server.properties')
  writeProperties(properties, {
    ...COMMON_CONFIG,
    'node.id': '1',
    listeners: `PLAINTEXT://127.0.0.1:${port}`,
    'log.dirs': join(how.folder, 'data'),
    ...how.config,
  })
  const started = performance.now()
  const command = [process.execPath, join(root, 'dist', 'ts', 'cli', 'main.js'), 'start']
  const child = launch(
    how.cores,
    [...command, '--config', properties, '--log-level', 'error'],
    cleanEnvironment(how.env),
  )
  const target = new BrokerProcess(how.name, port, child)
  return { target, readyMs: await target.accepts(started) }
}
