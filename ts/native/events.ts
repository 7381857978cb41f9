/**
 * The events that the data plane hands over: one struct for each type, and the decoder of a drained batch. Field
 * order is the byte order; the Rust side is checked against the same golden bytes.
 */
import {
  array,
  bool,
  decodeStruct,
  encodeStruct,
  int8,
  int16,
  int32,
  int64,
  type StructOf,
  string,
  struct,
  uuid,
  view,
} from '../protocol/index.js'
import { eachFrame, encodeFrame } from './frames.js'

/** `conn` names a connection: bits 0–31 slot, 32–47 generation, 48–52 I/O thread. `token` names one reply slot of it. */
const conn = int64()
const token = int64()

export const eventStructs = {
  /** A whole request frame, without its size prefix. */
  'control-request': struct('control-request', {
    conn,
    token,
    apiKey: int16(),
    apiVersion: int16(),
    listener: string(),
    /** `127.0.0.1:55012` */
    peer: string(),
    /** `User:ANONYMOUS` */
    principal: string(),
    arrivalMonotonicMs: int64(),
    arrivalWallMs: int64(),
    frame: view(),
  }),
  /** The high watermark of a watched partition passed on. */
  committed: struct('committed', { topicId: uuid(), partition: int32(), highWatermark: int64() }),
  /** A stretch of a partition that a `load` command asked for. */
  'loaded-chunk': struct('loaded-chunk', {
    topicId: uuid(),
    partition: int32(),
    leaderEpoch: int32(),
    nextOffset: int64(),
    done: bool(),
    errorCode: int16(),
    records: array({
      offset: int64(),
      timestamp: int64(),
      key: view({ nullable: true }),
      value: view({ nullable: true }),
    }),
  }),
  /** The logs agree with the image of this offset, but for the failures. */
  'image-applied': struct('image-applied', {
    offset: int64(),
    failures: array({ topicId: uuid(), partition: int32(), message: string() }),
  }),
  'connection-closed': struct('connection-closed', { conn }),
  /** Committed metadata records; proposalId is −1 for those that this start did not propose. */
  'metadata-committed': struct('metadata-committed', {
    baseOffset: int64(),
    epoch: int32(),
    timestamp: int64(),
    proposalId: int64(),
    records: array({ value: view() }),
  }),
  'proposal-dropped': struct('proposal-dropped', { proposalId: int64(), errorCode: int16() }),
  /** caughtUp: everything committed before this start has been delivered. leaderId −1: none. */
  'quorum-role': struct('quorum-role', {
    leaderId: int32(),
    epoch: int32(),
    highWatermark: int64(),
    caughtUp: bool(),
  }),
  'listener-up': struct('listener-up', { name: string(), host: string(), port: int32() }),
  'listener-failed': struct('listener-failed', { name: string(), message: string() }),
  'log-dir-failed': struct('log-dir-failed', { path: string(), message: string() }),
  /** The data plane refused a request and closed the connection. */
  'request-refused': struct('request-refused', {
    conn,
    peer: string(),
    apiKey: int16(),
    apiVersion: int16(),
    message: string(),
  }),
  /** Fatal for this node. */
  fault: struct('fault', { message: string() }),
  /** The clean shutdown is complete. */
  stopped: struct('stopped', {}),
  /** A delete-records command is carried out and its log start on disk; lowWatermark −1 with an error. */
  'records-deleted': struct('records-deleted', {
    requestId: int64(),
    lowWatermark: int64(),
    errorCode: int16(),
  }),
  /** Recovery took a damaged tail of `bytes` bytes out of a log; they are kept in the file `keptAs`. */
  'log-cut': struct('log-cut', {
    file: string(),
    position: int64(),
    bytes: int64(),
    keptAs: string(),
    message: string(),
  }),
  /** A log directory has no room for what is to be written, or (full: false) has had some for a while again. */
  'log-dir-room': struct('log-dir-room', { path: string(), full: bool(), message: string() }),
  /** Bytes of a file are not what was written there; offset: of the records that they held, −1 when it holds none. */
  damaged: struct('damaged', { file: string(), position: int64(), offset: int64(), message: string() }),
  /** The data plane refused what ACLs do not allow; so did it `untold` times before without a word. */
  'access-denied': struct('access-denied', {
    principal: string(),
    /** `127.0.0.1:55012` */
    peer: string(),
    apiKey: int16(),
    operation: int8(),
    resourceType: int8(),
    resourceName: string(),
    untold: int32(),
  }),
  /** Records of the snapshot that this start begins with, in order; endOffset is exclusive. */
  'metadata-snapshot': struct('metadata-snapshot', {
    endOffset: int64(),
    epoch: int32(),
    timestamp: int64(),
    done: bool(),
    records: array({ value: view() }),
  }),
  /** A piece of a snapshot was written (the last: the snapshot stands); a message says why there will be none. */
  'snapshot-written': struct('snapshot-written', {
    endOffset: int64(),
    position: int32(),
    message: string(),
  }),
  /** A snapshot that could not be read was passed over. */
  'snapshot-damaged': struct('snapshot-damaged', { file: string(), message: string() }),
  /** The logs are being opened, which takes a while; `checkedBytes` of them had to be read. */
  'logs-loading': struct('logs-loading', { loaded: int32(), total: int32(), checkedBytes: int64() }),
} as const

export type EventName = keyof typeof eventStructs
type EventMessage<N extends EventName> = StructOf<(typeof eventStructs)[N]>
/** One event, told apart by `kind`. */
export type NativeEvent = { [N in EventName]: { kind: N } & EventMessage<N> }[EventName]
export type EventNamed<N extends EventName> = Extract<NativeEvent, { kind: N }>

/** Type numbers begin at 1, in the order of the table. */
const names = Object.keys(eventStructs) as EventName[]

/** The events of a drained batch. Views into it stay valid as long as the batch is kept. */
export function decodeEvents(batch: Buffer): NativeEvent[] {
  const events: NativeEvent[] = []
  eachFrame(batch, (type, start, end) => {
    const kind = names[type - 1]
    if (kind === undefined) throw new Error(`boundary batch: unknown event type ${type}`)
    // Told in place: to copy an event took longer than to decode it.
    const event = decodeStruct(eventStructs[kind], batch, start, end) as { kind?: EventName }
    event.kind = kind
    events.push(event as NativeEvent)
  })
  return events
}

/** The other direction, for whoever stands in for the data plane. */
export function encodeEvent(event: NativeEvent): Buffer {
  const body = encodeStruct(eventStructs[event.kind], event as never)
  return encodeFrame(names.indexOf(event.kind) + 1, body)
}
