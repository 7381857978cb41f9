// Goal 6: acks that wait for the disk. Every record is synced before its ack, for a hundred producers at once.
import { join } from 'node:path'
import type { Context, Part } from '../contract.js'
import { ratio } from '../figures.js'

const PRODUCERS = 100
/** A batch of one record with a value of 1 KiB. */
const BATCH_BYTES = 1096

const secondsOf = ({ quick }: Context) => (quick ? 2 : 10)

const part: Part = {
  name: 'durable',
  title: 'Acks after a sync',
  method:
    `${PRODUCERS} producers, a connection each, write to the one partition of a topic with flush.messages=1: one record of ` +
    '1 KiB in flight each, acks=all, the next one as soon as the ack is there, all from one epoll loop; 10 s after 2 s ' +
    'that are not counted. Millrace answers once a sync has covered the record, and one sync covers all that came ' +
    'meanwhile; Kafka syncs within each append, one after the other. Floor: group commit, one thread that appends what ' +
    `${PRODUCERS} writers have gathered with one write, syncs (fdatasync), and starts over.`,
  measures: [
    { key: 'acksPerSecond', label: 'acks', unit: '1/s', floor: 'acksPerSecond', more: true },
    { key: 'p50Us', label: 'ack, p50', unit: 'µs', floor: 'p50Us' },
    { key: 'p99Us', label: 'ack, p99', unit: 'µs', floor: 'p99Us' },
    { key: 'p999Us', label: 'ack, p99.9', unit: 'µs', floor: 'p999Us' },
  ],
  goals: [
    {
      row: 6,
      text: "acks a second at least five times Kafka's",
      value: ({ millrace, kafka }) => ratio(millrace.acksPerSecond, kafka?.acksPerSecond),
      least: 5,
    },
    {
      row: 6,
      text: "p99 at most a fifth of Kafka's",
      value: ({ millrace, kafka }) => ratio(millrace.p99Us, kafka?.p99Us),
      most: 0.2,
    },
    {
      row: 6,
      text: 'acks a second at least 80 % of group commit',
      value: ({ millrace, floor }) => ratio(millrace.acksPerSecond, floor.acksPerSecond),
      least: 0.8,
    },
  ],
  floors(context) {
    return context.bench('floor-group-commit', {
      core: context.brokerCore,
      writers: PRODUCERS,
      recordBytes: BATCH_BYTES,
      seconds: secondsOf(context),
      file: join(context.folder, 'group-commit'),
    })
  },
  async run({ bootstrap }, context) {
    const topic = context.freshTopic()
    await context.bench('create-topic', { bootstrap, topic, config: { 'flush.messages': '1' } })
    const load = { producers: PRODUCERS, warmSeconds: context.quick ? 1 : 2, seconds: secondsOf(context) }
    return context.bench('load-flush', { bootstrap, topic, ...load })
  },
}

export default part
