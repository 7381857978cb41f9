// Records of __consumer_offsets between objects and Kafka's bytes.
// Owns nothing but the mapping; the layouts are the protocol's tables, the versions group-records.ts chooses.
import {
  decodeKey,
  decodeValue,
  encodeKey,
  encodeValue,
  groupMetadataRecord,
  groupRecords,
  offsetCommitRecord,
} from '../protocol/index.js'
import type { GroupRecord } from './group-records.js'

/** Key and value to append; a null value is a tombstone. */
export function encodeGroupRecord(record: GroupRecord): { key: Buffer; value: Buffer | null } {
  if (record.type === 'offset-commit') {
    const { key, value, version } = record
    return {
      key: encodeKey(offsetCommitRecord, key),
      value: value === null ? null : encodeValue(offsetCommitRecord, version, value),
    }
  }
  const { key, value, version } = record
  return {
    key: encodeKey(groupMetadataRecord, key),
    value:
      value === null
        ? null
        : encodeValue(groupMetadataRecord, version, { ...value, members: [...value.members] }),
  }
}

/**
 * The record behind a key and a value of the log; null for a type that classic groups do not have (those of other
 * group protocols), which a reader skips. Throws ProtocolError on a record that is not what its type says.
 */
export function decodeGroupRecord(key: Buffer, value: Buffer | null): GroupRecord | null {
  const decoded = decodeKey(groupRecords, key)
  if (decoded === null) return null
  if (decoded.name === 'OffsetCommit') {
    const held = value === null ? { version: 0, value: null } : decodeValue(offsetCommitRecord, value)
    return { type: 'offset-commit', key: decoded.key, ...held }
  }
  const held = value === null ? { version: 0, value: null } : decodeValue(groupMetadataRecord, value)
  return { type: 'group-metadata', key: decoded.key, ...held }
}
