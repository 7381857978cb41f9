/** The synchronous append to a coordinator partition: the packed request and reply of `EventPort.append`. */
import {
  array,
  decodeStruct,
  type EncodableStruct,
  encodeStruct,
  int16,
  int32,
  int64,
  type StructOf,
  struct,
  uuid,
  view,
} from '../protocol/index.js'
import type { EventPort } from './node.js'

export const appendRequest = struct('append', {
  topicId: uuid(),
  partition: int32(),
  /** The epoch at which the shard was loaded; any other is refused. */
  leaderEpoch: int32(),
  timestamp: int64(),
  records: array({ key: view({ nullable: true }), value: view({ nullable: true }) }),
})
/** endOffset is exclusive. */
export const appendReply = struct('append-reply', {
  errorCode: int16(),
  baseOffset: int64(),
  endOffset: int64(),
  highWatermark: int64(),
})

export type AppendRequest = EncodableStruct<typeof appendRequest>
export type AppendReply = StructOf<typeof appendReply>

/** Bytes of a packed reply. */
const REPLY_BYTES = 26
/** Every reply of this isolate is written here and decoded at once. */
const reply = Buffer.alloc(REPLY_BYTES)

/** Appends the records as one batch. What the log refuses is an error code of the reply. */
export function append(port: EventPort, request: AppendRequest): AppendReply {
  port.append(encodeStruct(appendRequest, request), reply)
  return decodeStruct(appendReply, reply)
}
