// The allow-list of the tools' output: every line that one broker's tools print and the other's do not, with its reason.

interface Explained {
  readonly reason: string
  readonly of: RegExp
  readonly line: RegExp
}

const explained: readonly Explained[] = [
  {
    // Transactions, quotas, SASL, tokens, moves between disks, newer groups, changes to the voters.
    reason: 'APIs that are not served are not advertised',
    of: /^kafka-broker-api-versions/,
    line: /^\t(AddOffsetsToTxn|AddPartitionsToTxn|AlterClientQuotas|DescribeClientQuotas|AlterReplicaLogDirs|\w*(Streams|Share|Consumer)Group\w*|Share(Fetch|Acknowledge)|\w*ScramCredentials|\w*DelegationToken|Sasl\w+|(Describe|List)Transactions|EndTxn|TxnOffsetCommit|WriteTxnMarkers|\w+RaftVoter)\(/,
  },
  {
    reason: 'the oldest versions are those of Kafka 3.9, for older clients, and the newest those of 4.4',
    of: /^kafka-broker-api-versions/,
    line: /^\t(ApiVersions|(Create|Delete|Describe)Acls|(Create|Delete)Topics|Describe(Configs|LogDirs)|DeleteGroups|ListOffsets|Offset(Commit|Fetch))\(/,
  },
  {
    reason: 'quotas, listing transactions and transactional ids are not served, and the tool says so',
    of: /^kafka-(configs .*--entity-type users|transactions (list|describe --))/,
    line: /./,
  },
  {
    reason: 'the loggers of a JVM have no counterpart',
    of: /^kafka-configs .*--entity-type broker-loggers/,
    line: /./,
  },
  {
    reason: 'a broker lists the configs that it honours; its ports, folders, node id and threads are its own',
    of: /^kafka-configs .*--entity-type brokers --entity-name 0 --all/,
    line: /^ {2}[\w.]+=/,
  },
  {
    reason: 'the error has a sentence where Kafka leaves it empty',
    of: /^kafka-configs .*--entity-name nope --all/,
    line: /UnknownTopicOrPartitionException: (This server does not host this topic-partition\.)?$/,
  },
  {
    reason: 'features come with what they switch: only metadata.version is there',
    of: /^kafka-features describe/,
    line: /^Feature: (eligible|group|kraft|share|streams|transaction)[\w.]*/,
  },
  {
    reason: 'without kraft.version a release that names it is refused for that',
    of: /^kafka-features upgrade --release-version/,
    line: /^Can not upgrade (kraft|metadata)\.version/,
  },
  {
    reason:
      'the voter answers on the listener of the clients and has a directory id, as Kafka’s has from kraft.version 1 on',
    of: /^kafka-metadata-quorum describe --status/,
    line: /^CurrentVoters:/,
  },
]

/** The commands' lines without those that are only on one side and explained. */
function without(command: string, lines: readonly string[], other: readonly string[]): string[] {
  const reasons = explained.filter(({ of }) => of.test(command))
  const shared = new Set(other)
  return lines.filter((line) => shared.has(line) || !reasons.some((one) => one.line.test(line)))
}

/** Both sides' lines without what is explained: they must be equal. */
export function unexplained(command: string, kafka: readonly string[], millrace: readonly string[]) {
  return { kafka: without(command, kafka, millrace), millrace: without(command, millrace, kafka) }
}
