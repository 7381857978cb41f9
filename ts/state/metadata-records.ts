// Records of __cluster_metadata as objects, told apart by Kafka's name, and the versions that we write.
// Owns the mapping to bytes through the protocol's tables; what a record means is image.ts.
import type { MetadataMessageOf, MetadataRecord as MetadataTable } from '../protocol/index.js'
import { decodeMetadataRecord, encodeMetadataRecord, metadataRecords } from '../protocol/index.js'

type RecordOf<R> = R extends MetadataTable
  ? { readonly name: R['name']; readonly version: number; readonly message: Readonly<MetadataMessageOf<R>> }
  : never

/** One record of the metadata log, any of the kinds that the protocol has a table for. */
export type MetadataRecord = RecordOf<(typeof metadataRecords)[number]>
export type MetadataRecordName = MetadataRecord['name']
export type MetadataMessage<N extends MetadataRecordName> = Extract<MetadataRecord, { name: N }>['message']

/** The record versions that Kafka writes at metadata.version 30; those of all others are 0. */
const WRITTEN_VERSIONS: Partial<Record<MetadataRecordName, number>> = {
  RegisterBrokerRecord: 3,
  PartitionRecord: 2,
  PartitionChangeRecord: 2,
  BrokerRegistrationChangeRecord: 2,
}

/** A record to write, in the version that we write it in. */
export function metadataRecord<N extends MetadataRecordName>(
  name: N,
  message: MetadataMessage<N>,
): MetadataRecord {
  return { name, version: WRITTEN_VERSIONS[name] ?? 0, message } as Extract<MetadataRecord, { name: N }>
}

const tables: ReadonlyMap<string, (typeof metadataRecords)[number]> = new Map(
  metadataRecords.map((table) => [table.name, table]),
)

/** The framed bytes of a record's value; metadata records have no key. */
export function encodeMetadata(record: MetadataRecord): Buffer {
  const table = tables.get(record.name)
  if (table === undefined) throw new Error(`no table for ${record.name}`)
  // The table is that of the record's own name, a tie that the type checker cannot follow through the map.
  return encodeMetadataRecord(table, record.version, record.message as never)
}

/** Throws ProtocolError on anything that is not a framed record with a known key. */
export function decodeMetadata(value: Buffer): MetadataRecord {
  const { name, version, message } = decodeMetadataRecord(value)
  return { name, version, message } as MetadataRecord
}
