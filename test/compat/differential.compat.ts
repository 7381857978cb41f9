// The same random scripts against Apache Kafka and this broker: the same errors, offsets and bytes. What may differ
// stands in differential/explained.ts, with its reason.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Brokers } from './differential/brokers.js'
import { told } from './differential/script.js'
import { kafkaJars } from './toolchains.js'

const SCRIPTS = 40
const STEPS = 100
const own = process.env.MILLRACE_SEED
const seeds = own ? [Number(own)] : Array.from({ length: SCRIPTS }, (_, n) => n + 1)
let brokers: Brokers

beforeAll(async () => {
  kafkaJars()
  brokers = await Brokers.start()
})

afterAll(() => brokers?.stop())

it.each(seeds)('script %i: Apache Kafka and this broker say and store the same', async (seed) => {
  const { difference } = await brokers.run(seed, STEPS)
  expect(difference && told(difference)).toBeUndefined()
})
