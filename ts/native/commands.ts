/**
 * The commands that the control plane submits: one struct for each type, and the encoder of a batch. Field order is
 * the byte order; the Rust side is checked against the same golden bytes.
 */
import {
  array,
  bool,
  bytes,
  decodeStruct,
  type EncodableStruct,
  int8,
  int16,
  int32,
  int64,
  type StructOf,
  string,
  struct,
  uuid,
  view,
  Writer,
  writeStruct,
} from '../protocol/index.js'
import { eachFrame, writeFrame } from './frames.js'

const conn = int64()
const token = int64()

export const commandStructs = {
  /** Response header and body, without the size prefix. */
  respond: struct('respond', { conn, token, response: view() }),
  'close-connection': struct('close-connection', { conn, reason: string() }),
  /** Reads a partition from its start and watches its high watermark; answered by loaded-chunk events. */
  load: struct('load', { topicId: uuid(), partition: int32(), leaderEpoch: int32() }),
  /** Answered by metadata-committed with the same id, or proposal-dropped. */
  propose: struct('propose', { proposalId: int64(), timestamp: int64(), records: array({ value: bytes() }) }),
  /** Answered by image-applied. A topic that exists gets its new partitions, epochs and configs. */
  'apply-image': struct('apply-image', {
    offset: int64(),
    removedTopics: array(uuid()),
    topics: array({
      name: string(),
      topicId: uuid(),
      internal: bool(),
      configs: array({ key: string(), value: string() }),
      partitions: array({
        index: int32(),
        leader: int32(),
        leaderEpoch: int32(),
        partitionEpoch: int32(),
        replicas: array(int32()),
        isr: array(int32()),
      }),
    }),
  }),
  /** Answered by listener-up or listener-failed. */
  'set-listener': struct('set-listener', {
    name: string(),
    host: string(),
    port: int32(),
    securityProtocol: string(),
  }),
  'remove-listener': struct('remove-listener', { name: string() }),
  /** Answered by stopped. */
  shutdown: struct('shutdown', {}),
  /** Frees the slot of a request that gets no reply. */
  'respond-none': struct('respond-none', { conn, token }),
  /** Moves a log start up to `offset`, −1 = the high watermark; answered by records-deleted with the same id. */
  'delete-records': struct('delete-records', {
    requestId: int64(),
    topicId: uuid(),
    partition: int32(),
    leaderEpoch: int32(),
    offset: int64(),
  }),
  /** The ACLs that are gone, by the ids of their records, and those that are new. */
  'apply-acls': struct('apply-acls', {
    removed: array(uuid()),
    added: array({
      id: uuid(),
      resourceType: int8(),
      resourceName: string(),
      patternType: int8(),
      principal: string(),
      host: string(),
      operation: int8(),
      permissionType: int8(),
    }),
  }),
  /** Writes a piece of a snapshot up to endOffset (exclusive); position 0 begins it. Answered by snapshot-written. */
  'write-snapshot': struct('write-snapshot', {
    endOffset: int64(),
    epoch: int32(),
    timestamp: int64(),
    position: int32(),
    done: bool(),
    records: array({ value: bytes() }),
  }),
  /** Every live broker, once for each listener: where replies may send clients. */
  'set-nodes': struct('set-nodes', {
    nodes: array({
      listener: string(),
      nodeId: int32(),
      host: string(),
      port: int32(),
      rack: string({ nullable: true }),
    }),
  }),
  /** The caps on connections, all of them; 2³¹ − 1 is none. */
  'set-connection-limits': struct('set-connection-limits', {
    maxConnections: int32(),
    maxConnectionsPerIp: int32(),
    maxConnectionCreationRate: int32(),
    /** `address` is an IP address. */
    overrides: array({ address: string(), maxConnections: int32() }),
    listeners: array({ name: string(), maxConnections: int32(), maxConnectionCreationRate: int32() }),
  }),
  /** Mutes a connection whose reply carried this throttle time. */
  throttle: struct('throttle', { conn, throttleMs: int32() }),
  /** A connection has authenticated: everything is served to it from now on. */
  'set-principal': struct('set-principal', { conn, principal: string() }),
  /** How long a control request waited for its handler, was at work there, and waited for others. */
  'request-timed': struct('request-timed', {
    apiKey: int16(),
    queueMicros: int32(),
    localMicros: int32(),
    remoteMicros: int32(),
  }),
  /** Moves a partition to another log directory, or has it created there once it comes. */
  'move-partition': struct('move-partition', { topic: string(), partition: int32(), logDir: string() }),
} as const

export type CommandName = keyof typeof commandStructs
/** One command to submit, told apart by `kind`. */
export type Command = {
  [N in CommandName]: { kind: N } & EncodableStruct<(typeof commandStructs)[N]>
}[CommandName]
export type DecodedCommand = {
  [N in CommandName]: { kind: N } & StructOf<(typeof commandStructs)[N]>
}[CommandName]

/** Type numbers begin at 1, in the order of the table. */
const names = Object.keys(commandStructs) as CommandName[]

const types = new Map(names.map((name, index) => [name, index + 1]))

/** Appends a command to a batch. A command that cannot be written leaves the batch as it was, and throws. */
export function writeCommand(batch: Writer, command: Command): void {
  writeFrame(batch, types.get(command.kind) ?? 0, () =>
    writeStruct(batch, commandStructs[command.kind], command as never),
  )
}

const RESPOND = types.get('respond') ?? 0
const respondHead = struct('respond-head', { conn, token })

/** As a `respond` command whose response `write` appends to the batch, so that it is never copied. */
export function writeRespond(
  batch: Writer,
  conn: number,
  token: number,
  write: (batch: Writer) => void,
): void {
  writeFrame(batch, RESPOND, () => {
    writeStruct(batch, respondHead, { conn, token })
    const start = batch.beginSized()
    write(batch)
    batch.endSized(start)
  })
}

export function encodeCommand(command: Command): Buffer {
  const batch = new Writer()
  writeCommand(batch, command)
  return batch.copy()
}

/** The other direction, for whoever stands in for the data plane. */
export function decodeCommands(batch: Buffer): DecodedCommand[] {
  const commands: DecodedCommand[] = []
  eachFrame(batch, (type, start, end) => {
    const kind = names[type - 1]
    if (kind === undefined) throw new Error(`boundary batch: unknown command type ${type}`)
    commands.push({ kind, ...decodeStruct(commandStructs[kind], batch, start, end) } as DecodedCommand)
  })
  return commands
}
