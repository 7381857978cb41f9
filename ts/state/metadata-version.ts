// Kafka's levels of metadata.version: what each is called, whether it changed the records, and their versions at it.
// Owns these facts; who may finalise which level is features.ts.

export const METADATA_VERSION = 'metadata.version'
/** The oldest level that Kafka 4 reads. */
export const OLDEST_METADATA_VERSION = 7
/** Kafka 4.3's: the newest level whose records we write. */
export const NEWEST_METADATA_VERSION = 30

/** By level from the oldest on; a star marks those whose records differ from those of the level before. */
const RELEASES = [
  ...[
    '3.3-IV3*',
    '3.4-IV0*',
    '3.5-IV0',
    '3.5-IV1',
    '3.5-IV2*',
    '3.6-IV0',
    '3.6-IV1*',
    '3.6-IV2*',
    '3.7-IV0*',
  ],
  ...['3.7-IV1', '3.7-IV2*', '3.7-IV3', '3.7-IV4', '3.8-IV0', '3.9-IV0', '4.0-IV0', '4.0-IV1*', '4.0-IV2'],
  ...['4.0-IV3', '4.1-IV0', '4.1-IV1', '4.2-IV0', '4.2-IV1', '4.3-IV0*', '4.4-IV0', '4.4-IV1*', '4.4-IV2*'],
]

/** `4.3-IV0`, or the number of a level that has no name here. */
export function metadataVersionName(level: number): string {
  return RELEASES[level - OLDEST_METADATA_VERSION]?.replace('*', '') ?? String(level)
}

/** Whether going from one level to a lower one could lose what records of the levels between say. */
export function metadataChangedBetween(high: number, low: number): boolean {
  const between = RELEASES.slice(low + 1 - OLDEST_METADATA_VERSION, high + 1 - OLDEST_METADATA_VERSION)
  return between.some((release) => release.endsWith('*'))
}

/** For each record with several versions: the version and the level from which on it is written, newest first. */
const WRITTEN_FROM: Readonly<Record<string, readonly (readonly [version: number, level: number])[]>> = {
  RegisterBrokerRecord: [
    [4, 30],
    [3, 17],
    [2, 8],
    [1, 7],
  ],
  PartitionRecord: [
    [2, 23],
    [1, 17],
  ],
  PartitionChangeRecord: [
    [2, 23],
    [1, 17],
  ],
  BrokerRegistrationChangeRecord: [
    [3, 30],
    [2, 17],
    [1, 7],
  ],
}

/** The version in which Kafka writes a kind of record at a level of metadata.version. */
export function recordVersion(recordName: string, level: number): number {
  return WRITTEN_FROM[recordName]?.find(([, from]) => level >= from)?.[0] ?? 0
}
