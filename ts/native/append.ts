/** The synchronous append to a coordinator partition: the packed request and reply of `NativeNode.append`. */
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

export const encodeAppendRequest = (request: AppendRequest): Buffer => encodeStruct(appendRequest, request)
export const decodeAppendRequest = (bytes: Buffer): StructOf<typeof appendRequest> =>
  decodeStruct(appendRequest, bytes)
export const encodeAppendReply = (reply: AppendReply): Buffer => encodeStruct(appendReply, reply)
export const decodeAppendReply = (bytes: Buffer): AppendReply => decodeStruct(appendReply, bytes)
