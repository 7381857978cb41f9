/**
 * The entry of a coordinator worker's isolate: ties a CoordinatorLoop to its node's socket, to the control plane's port
 * and to the clock. An exception that nothing below catches ends the isolate; the control plane replaces it.
 */
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net'
import { isMainThread, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { BrokerConfig } from '../config/broker-config.js'
import { attachWorker } from '../native/node.js'
import { CoordinatorLoop } from './coordinator-loop.js'
import type { Answered, FromWorker, ToWorker, WorkerStart } from './coordinator-messages.js'
import { type Logger, systemAlarm, systemClock, systemRandom, systemStopwatch } from './host.js'

if (isMainThread || parentPort === null) throw new Error('this file is the entry of a worker')
const plane = parentPort
const { node, worker, workers, settings } = workerData as WorkerStart

const tell = (message: FromWorker) => plane.postMessage(message)
const line = (level: keyof Logger) => (fields: object, message: string) =>
  tell({ kind: 'log', level, fields: plain(fields), message })
const log: Logger = {
  debug: line('debug'),
  info: line('info'),
  warn: line('warn'),
  error: line('error'),
  fatal: line('fatal'),
}

/** Only what is plain can be told: an error becomes its text. */
function plain(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? (value.stack ?? value.message) : value,
    ]),
  )
}

/** What a read of the socket takes at most; a wake-up is one byte. */
const WAKE_BYTES = 64

const port = attachWorker(node, worker)
const heard: ToWorker[] = []

const loop = new CoordinatorLoop({
  config: new BrokerConfig(settings),
  worker,
  workers,
  host: {
    clock: systemClock,
    random: systemRandom,
    log,
    stopwatch: systemStopwatch,
    alarm: (onAlarm) => systemAlarm(systemClock, onAlarm),
  },
  port,
  hear() {
    const messages = heard.splice(0)
    for (let next = receiveMessageOnPort(plane); next !== undefined; next = receiveMessageOnPort(plane)) {
      messages.push(next.message)
    }
    return messages
  },
  answer: (token, reply) => tell({ kind: 'answer', token, reply: reply as Answered }),
  onClosed() {
    tell({ kind: 'closed' })
    socket.destroy()
    plane.close()
  },
})

// Read into memory of its own, past the stream: that would make a buffer of 64 KiB for each wake-up.
const onread: OnReadOpts = {
  buffer: Buffer.alloc(WAKE_BYTES),
  callback() {
    loop.turn()
    return true
  },
}
const options: SocketConstructorOpts & { onread: OnReadOpts } = {
  fd: port.fd,
  readable: true,
  writable: false,
  onread,
}
const socket = new Socket(options)
// The node is gone: so is the reason to be.
socket.on('close', () => plane.close())
plane.on('message', (message: ToWorker) => {
  heard.push(message)
  loop.turn()
})
