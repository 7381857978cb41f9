// What tools print, in words that do not depend on whose broker it was and when it was asked: what must differ becomes a
// name in braces. What may differ although it need not stands in explained.ts.

interface Change {
  /** The commands whose lines are changed. */
  readonly of: RegExp
  readonly from: RegExp
  readonly to: string
}

const EVERY = /^/
const changes: readonly Change[] = [
  // Ids that a broker draws: of topics, of the cluster, of directories, of members.
  { of: EVERY, from: /TopicId: [\w-]{22}/, to: 'TopicId: {topic id}' },
  { of: EVERY, from: /(Cluster ID|ClusterId): +[\w-]{22}/, to: '$1: {cluster id}' },
  { of: EVERY, from: /reader-[0-9a-f-]{36}/g, to: '{member}' },
  // When records were written: the tools ran one after the other.
  { of: /^kafka-transactions/, from: /\b1\d{12}\b/g, to: '{time}' },
  // How many records of metadata there are, when they were told, and the directory that holds them.
  { of: /^kafka-features/, from: /Epoch: \d+/, to: 'Epoch: {epoch}' },
  { of: /^kafka-metadata-quorum/, from: /HighWatermark: +\d+/, to: 'HighWatermark: {offset}' },
  {
    of: /replication/,
    from: /^0 +\t[\w-]{22}\t\d+ +\t0 +\t.*?\t.*?\t/,
    to: '0\t{directory}\t{offset}\t0\t{time}\t{time}\t',
  },
  // What perf tools measure but the number of records and bytes.
  { of: /^kafka-producer-perf/, from: /[\d.]+ (records\/sec|MB\/sec|ms)/g, to: '# $1' },
  {
    of: /^kafka-consumer-perf/,
    from: /^\d{4}-.*?, .*?, ([\d.]+), [\d.]+, (\d+), .*$/,
    to: '#, #, $1, #, $2, #, #, #, #, #',
  },
]

/** Tables whose rows come in the order of a hash map in the tool or in the broker. */
const UNORDERED = /^kafka-(consumer-groups|groups) .*(--list|--all-groups)/

/** The lines that the tool printed, without the frames of Java's stack traces: those tell where a client waited. */
export function spoken(
  command: string,
  text: string,
  names: readonly (readonly [string, string])[],
): string[] {
  const named = names.reduce((said, [from, to]) => said.replaceAll(from, to), text)
  const lines = named.split('\n').filter((line) => !line.startsWith('\tat '))
  const told = lines.map((line) =>
    changes.reduce((said, { of, from, to }) => (of.test(command) ? said.replace(from, to) : said), line),
  )
  return UNORDERED.test(command) ? told.sort() : told
}
