// Starts Apache Kafka from its jars as one KRaft node: G1 with the flags of Kafka's own start script, 1 GiB of heap,
// threads sized to the core it gets. Tuned for its best: a setting that makes it cheaper belongs here.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts, writeProperties } from '../../test/cluster/broker-files.js'
import { BrokerProcess, COMMON_CONFIG, type Launch } from './broker.js'
import type { Started } from './contract.js'
import { exitOf, launch } from './processes.js'

const CLUSTER_ID = 'bWlsbHJhY2UtYmVuY2gtMQ'

/** As bin/kafka-run-class.sh sets them. */
const JVM = [
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-Djava.awt.headless=true',
]
const HEAP = ['-Xms1g', '-Xmx1g']

/** One core: more threads than this only take it from each other. */
const TUNED: Readonly<Record<string, string>> = {
  'num.network.threads': '1',
  'num.io.threads': '2',
  // It sleeps while others are measured; its controller must not take it for dead when it wakes up.
  'broker.session.timeout.ms': '3600000',
  // Whatever a part sends.
  'socket.request.max.bytes': '104857600',
}

/** The version in the name of the broker's jar; undefined: no Kafka in that folder. */
export function kafkaVersion(jars: string): string | undefined {
  const names = existsSync(jars) ? readdirSync(jars) : []
  return names
    .map((name) => /^kafka_[\d.]+-(\d[\w.]*)\.jar$/.exec(name)?.[1])
    .find((found) => found !== undefined)
}

export async function startKafka(jars: string, how: Launch): Promise<Started & { target: BrokerProcess }> {
  const [port = 0, controller = 0] = await freePorts(2)
  const properties = join(how.folder, 'server.properties')
  writeProperties(properties, {
    ...COMMON_CONFIG,
    ...TUNED,
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'log.dirs': join(how.folder, 'data'),
    ...how.config,
  })
  const java = (flags: readonly string[], main: readonly string[]) => {
    const command = ['java', ...flags, '-cp', join(jars, '*'), ...main]
    return launch(how.cores, command, { ...process.env, ...how.env })
  }
  if (!existsSync(join(how.folder, 'data', 'meta.properties'))) {
    const format = ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', properties]
    const exit = await exitOf(java(['-Xmx256m'], format))
    if (exit !== 0) throw new Error(`Kafka's StorageTool left with ${exit}`)
  }
  const started = performance.now()
  const target = new BrokerProcess(how.name, port, java([...HEAP, ...JVM], ['kafka.Kafka', properties]))
  return { target, readyMs: await target.accepts(started) }
}
