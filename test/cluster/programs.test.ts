// Programs that run a broker inside themselves and how they end: by themselves once it is closed, by process.exit with
// a broker left open, by an error, and in worker threads that return, exit or are terminated.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { BrokerProcess, cli, dataFolder, runNode } from './broker-process.js'

let folder: ReturnType<typeof dataFolder>
beforeEach(() => {
  folder = dataFolder()
})
afterEach(() => folder.remove())

const library = pathToFileURL(join(cli, '..', '..', 'index.js')).href
const prelude = `
  import { Broker } from ${JSON.stringify(library)}
  const folder = process.argv[1]
  const start = (name, port = 0) =>
    Broker.start({ 'log.dirs': folder + '/' + name, listeners: 'PLAINTEXT://127.0.0.1:' + port })
`
const run = (program: string) => runNode(['--input-type=module', '-e', prelude + program, folder.path])

it('ends by itself once every broker is closed', async () => {
  const outcome = await run(`
    const brokers = await Promise.all([start('one'), start('two')])
    await Promise.all(brokers.map((broker) => broker.close()))
    await brokers[0].close()
    console.log('closed')
  `)
  expect(outcome).toEqual({ code: 0, stdout: 'closed\n', stderr: '' })
})

it('goes on as long as a broker runs', async () => {
  const outcome = await run(`
    const broker = await start('one')
    setImmediate(() => setImmediate(async () => {
      await fetch('http://' + broker.bootstrapServers).catch(() => console.log('still there'))
      await broker.close()
    }))
  `)
  expect(outcome).toEqual({ code: 0, stdout: 'still there\n', stderr: '' })
})

it('ends by itself after starts that failed, which left nothing running', async () => {
  const outcome = await run(`
    const broker = await start('one')
    const port = broker.bootstrapServers.split(':')[1]
    const failures = await Promise.allSettled([
      start('one'),
      start('two', port),
      Broker.start({ 'log.dirs': folder + '/three', 'num.partitions': 'x' }),
    ])
    for (const { status, reason } of failures) console.log(status, reason.message.replaceAll(folder, ''))
    await (await start('two')).close()
    await broker.close()
    await (await start('one', port)).close()
  `)
  expect(outcome).toMatchObject({ code: 0, stderr: '' })
  const lines = outcome.stdout.trim().split('\n')
  expect(lines).toHaveLength(3)
  expect(lines[0]).toContain('rejected the folder /one is in use by another broker')
  expect(lines[1]).toMatch(
    /^rejected The listener PLAINTEXT:\/\/127\.0\.0\.1:\d+ cannot be opened: Address already in use/,
  )
  expect(lines[2]).toContain('rejected num.partitions = x (the config object) is not valid')
})

it('can be left by process.exit with its code, or by an error, with a broker open', async () => {
  expect(await run(`await start('one'); process.exit(3)`)).toEqual({ code: 3, stdout: '', stderr: '' })
  const thrown = await run(`await start('one'); throw new Error('of the program')`)
  expect(thrown.code).toBe(1)
  expect(thrown.stderr).toContain('of the program')
  await (await BrokerProcess.start({ folder: join(folder.path, 'one') })).stop()
})

const inWorker = (body: string, main: string) =>
  run(`
    import { Worker } from 'node:worker_threads'
    const code = \`
      const { parentPort, workerData } = require('node:worker_threads')
      import(${JSON.stringify(library)}).then(async ({ Broker }) => {
        const settings = { 'log.dirs': workerData, listeners: 'PLAINTEXT://127.0.0.1:0' }
        const broker = await Broker.start(settings)
        parentPort.postMessage(broker.bootstrapServers)
        ${body}
      })\`
    const worker = new Worker(code, { eval: true, execArgv: [], workerData: folder + '/one' })
    worker.on('error', (error) => console.log(error.message))
    const exit = new Promise((resolve) => worker.on('exit', resolve))
    await new Promise((resolve) => worker.on('message', resolve))
    ${main}
    console.log('worker', await exit)
    await (await start('one')).close()
  `)

it.each([
  ['closes its broker', 'await broker.close()', '', 0],
  ['exits with a broker open', 'process.exit(5)', '', 5],
  ['is terminated with a broker open', '', 'worker.terminate()', 1],
])('survives a worker that %s, and may use its folder', async (_, body, main, code) => {
  expect(await inWorker(body, main)).toEqual({ code: 0, stdout: `worker ${code}\n`, stderr: '' })
})
