// Records of __cluster_metadata as objects, told apart by Kafka's name.
// Owns the mapping to bytes through the protocol's tables; what a record means is image.ts.
import type { MetadataMessageOf, MetadataRecord as MetadataTable } from '../protocol/index.js'
import { decodeMetadataRecord, encodeMetadataRecord, metadataRecords } from '../protocol/index.js'
import { NEWEST_METADATA_VERSION, recordVersion } from './metadata-version.js'

type RecordOf<R> = R extends MetadataTable
  ? { readonly name: R['name']; readonly version: number; readonly message: Readonly<MetadataMessageOf<R>> }
  : never

/** One record of the metadata log, any of the kinds that the protocol has a table for. */
export type MetadataRecord = RecordOf<(typeof metadataRecords)[number]>
export type MetadataRecordName = MetadataRecord['name']
export type MetadataMessage<N extends MetadataRecordName> = Extract<MetadataRecord, { name: N }>['message']

/** A record to write, in the version that Kafka writes it in at the newest level of metadata.version. */
export function metadataRecord<N extends MetadataRecordName>(
  name: N,
  message: MetadataMessage<N>,
): MetadataRecord {
  const version = recordVersion(name, NEWEST_METADATA_VERSION)
  return { name, version, message } as Extract<MetadataRecord, { name: N }>
}

/** The same record as it is written at a level of metadata.version: what an older version cannot say is left out. */
export function atMetadataVersion(record: MetadataRecord, level: number): MetadataRecord {
  const version = recordVersion(record.name, level)
  return version === record.version ? record : { ...record, version }
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
