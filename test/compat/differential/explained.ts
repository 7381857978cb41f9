// The allow-list of the differential test: every difference from Apache Kafka 4.3 that is meant, with its reason.
import { isDeepStrictEqual } from 'node:util'
import { createTopics, fetch, produce, ZERO_UUID } from '../../../ts/protocol/index.js'
import type { Step } from './steps.js'
import { recompresses, type ScriptTopic } from './topics.js'

export interface Pair {
  readonly step: Step
  readonly request: object
  readonly kafka: unknown
  readonly millrace: unknown
  readonly topics: ReadonlyMap<string, ScriptTopic>
}

interface Explained {
  readonly reason: string
  /** One broker has what the other has not. */
  readonly ends?: boolean
  /** Whether it explains that the brokers differ at this place of their answers. */
  readonly covers: (difference: PlaceDifference, pair: Pair) => boolean
}

/** One place of two answers, written `.reply.responses.topic-0.errorCode`. */
export interface PlaceDifference {
  readonly path: string
  readonly kafka: unknown
  readonly millrace: unknown
}

/** The places at which two values differ. */
export function differences(kafka: unknown, millrace: unknown, path = ''): PlaceDifference[] {
  if (isDeepStrictEqual(kafka, millrace)) return []
  const both = [kafka, millrace]
  if (both.every((value) => value !== null && typeof value === 'object')) {
    const [one, other] = both as Record<string, unknown>[]
    const names = new Set([...Object.keys(one ?? {}), ...Object.keys(other ?? {})])
    return [...names].flatMap((name) => differences(one?.[name], other?.[name], `${path}.${name}`))
  }
  return [{ path, kafka, millrace }]
}

const at = (place: PlaceDifference, name: string) => place.path.endsWith(`.${name}`)

const explained: readonly Explained[] = [
  {
    // Kafka sends the exception's text only for batches whose records were refused one by one; ours says more.
    reason: 'Produce names its reason, and the malformed record, where Kafka sends the error code alone',
    covers: (place, { step }) =>
      step.api === produce &&
      ((at(place, 'errorMessage') && place.kafka === null) ||
        (at(place, 'recordErrors.0') && place.kafka === undefined)),
  },
  {
    // An exception nobody foresaw (IllegalArgument, a broken stream, …) becomes UNKNOWN_SERVER_ERROR; ours has a name.
    reason:
      'Produce answers INVALID_RECORD, CORRUPT_MESSAGE or a codec error where Kafka says UNKNOWN_SERVER_ERROR',
    covers: (place, { step }) =>
      step.api === produce &&
      at(place, 'errorCode') &&
      place.kafka === -1 &&
      [2, 76, 87].includes(Number(place.millrace)),
  },
  {
    // Kafka trips over its own null check and never answers.
    reason: 'Produce without records is INVALID_RECORD, where Kafka never answers or closes the connection',
    covers: (place, { step, kafka }) =>
      step.api === produce && step.label.includes('none') && hasClosed(kafka, place),
  },
  {
    // Kafka looks for transactional batches in all partitions first, and fails over the first that it cannot parse.
    reason: 'Produce refuses a malformed batch alone, where Kafka refuses the whole request',
    ends: true,
    covers: (place, { step }) =>
      step.api === produce &&
      MALFORMED.some((lie) => step.label.includes(lie)) &&
      /^\.reply\.responses\./.test(place.path),
  },
  {
    // Its iterators look at no more of a record than they need.
    reason:
      'Produce refuses a record whose fields do not fill it, or do not add up, where Kafka does not look',
    ends: true,
    covers: (place, { step }) =>
      step.api === produce &&
      step.label.includes('records differ') &&
      (place.kafka === 0 || place.millrace === -1),
  },
  {
    // On topics that compress anew Kafka itself fails over such a batch.
    reason: 'Produce refuses a producer id without an epoch',
    ends: true,
    covers: (_, { step }) => step.api === produce && step.label.includes('idWithoutEpoch'),
  },
  {
    // Kafka fails over a limit below 0; here it is one of 0 bytes.
    reason: 'Fetch reads a negative limit as 0, where Kafka says UNKNOWN_SERVER_ERROR',
    covers: (place, { step, request }) =>
      step.api === fetch &&
      place.path.startsWith('.reply.responses.') &&
      JSON.stringify(request).includes('axBytes":-1'),
  },
  {
    // Its builder refuses them; where it need not write anew, Kafka takes them, as we do everywhere.
    reason: 'Produce takes timestamps below −1, for which Kafka fails where it compresses anew',
    ends: true,
    covers: (place, { step, topics }) => {
      const topic = topicOf(place, topics)
      const negative = step.api === produce && step.label.includes('below −1')
      return negative && topic !== undefined && recompresses(topic) && place.kafka === -1
    },
  },
  {
    // Kafka fails over the id that stands for none. Here it is the id of no topic.
    reason: 'Fetch of the topic id 0 is UNKNOWN_TOPIC_ID, where Kafka fails as a whole',
    covers: (_, { step, request, kafka }) =>
      step.api === fetch &&
      JSON.stringify(request).includes(ZERO_UUID) &&
      JSON.stringify(kafka).includes('"errorCode":-1'),
  },
  {
    // KIP-966 has Kafka write the config down for all brokers when the feature begins.
    reason: 'min.insync.replicas comes from the defaults, where Kafka has a dynamic default of all brokers',
    covers: (place, { step }) =>
      step.api === createTopics && at(place, 'configSource') && place.kafka === 3 && place.millrace === 5,
  },
  {
    // KIP-110 has the broker refuse them. Kafka dropped that with down-conversion in 4.0, and sends what they cannot read.
    reason: 'Fetch before version 10 of a topic kept in zstd is UNSUPPORTED_COMPRESSION_TYPE',
    covers: (place, { step, topics }) =>
      step.api === fetch &&
      step.version < 10 &&
      topicOf(place, topics)?.configs['compression.type'] === 'zstd',
  },
  {
    // Kafka reads for a debugger up to the log end, and is asked of no transactions.
    reason: 'Fetch serves a debugger as a consumer',
    covers: (place, { step, request }) =>
      step.api === fetch &&
      'replicaId' in request &&
      Number(request.replicaId) < -1 &&
      at(place, 'abortedTransactions'),
  },
  {
    // Kafka takes the header's word for every record's timestamp and clears the bit. No client sets it.
    reason:
      'Produce refuses the LogAppendTime bit everywhere, where Kafka does only for topics with LogAppendTime',
    ends: true,
    covers: (_, { step }) => step.api === produce && /logAppendTime/.test(step.label),
  },
]

/** What a batch is drawn as that Kafka cannot find the end of. */
const MALFORMED = [': length', ': magic', ': bytes after it', ': unknownCodec']

function topicOf({ path }: PlaceDifference, topics: Pair['topics']): ScriptTopic | undefined {
  const [, name = ''] = /^\.reply\.responses\.(.*)-\d+\./.exec(path) ?? []
  return topics.get(name)
}

function hasClosed(answer: unknown, place: PlaceDifference): boolean {
  const closed = answer !== null && typeof answer === 'object' && 'closed' in answer
  return closed && ['.closed', '.reply'].includes(place.path)
}

export interface Explanation {
  readonly reasons: string[]
  /** Whether the logs are no longer the same, so that the script must end here. */
  readonly ends: boolean
}

/** Why the two differ; undefined when somebody has yet to say why at one place at least. */
export function explain(pair: Pair): Explanation | undefined {
  const found = differences(pair.kafka, pair.millrace).map((place) =>
    explained.find(({ covers }) => covers(place, pair)),
  )
  const known = found.filter((entry) => entry !== undefined)
  if (known.length < found.length) return undefined
  return { reasons: known.map(({ reason }) => reason), ends: known.some(({ ends }) => ends) }
}
