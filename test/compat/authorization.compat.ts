// Who is allowed what, held to Apache Kafka: random decisions to its authorizer class, and the answers of every API to
// somebody without rights to a whole broker of it.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { answered, randomQuestions } from '../acl-questions.js'
import {
  type Denial,
  denials,
  grant,
  revokeAll,
  STRANGER,
  shutOutStrangers,
} from '../cluster/denials/index.js'
import { RawClient } from '../cluster/raw-client.js'
import { KafkaBroker } from './kafka-broker.js'
import { kafkaJars, output } from './toolchains.js'

const program = join(dirname(fileURLToPath(import.meta.url)), 'java', 'AclDecisions.java')
const kafkaAnswers = (questions: string) =>
  output('java', ['-Xmx256m', '-cp', join(kafkaJars(), '*'), program], questions)

describe('decisions', () => {
  it('about random ACLs are those of StandardAuthorizer', async () => {
    const questions = randomQuestions(Number(process.env.MILLRACE_SEED ?? 4711), 200)
    expect(answered(questions).split('\n')).toEqual((await kafkaAnswers(questions)).split('\n'))
  })

  it('in the golden file are still those of StandardAuthorizer', async () => {
    const golden = new URL('../wire/golden/acl-decisions.txt', import.meta.url)
    const lines = readFileSync(golden, 'utf8')
    const questions = lines.replaceAll(/^((?:ask|any)\t.*)\t[01]$/gm, '$1')
    expect(await kafkaAnswers(questions)).toBe(lines)
  })
})

describe('a broker of Apache Kafka', () => {
  let kafka: KafkaBroker
  let admin: RawClient
  let stranger: RawClient
  let ids: Awaited<ReturnType<typeof shutOutStrangers>>

  beforeAll(async () => {
    kafka = await KafkaBroker.start({
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'allow.everyone.if.no.acl.found': 'true',
      'offsets.topic.num.partitions': '1',
      'group.initial.rebalance.delay.ms': '0',
    })
    admin = await RawClient.open(kafka.port)
    stranger = await RawClient.open(kafka.port, '127.0.0.1', STRANGER)
    ids = await shutOutStrangers(admin)
  })

  afterAll(async () => {
    admin?.close()
    stranger?.close()
    await kafka?.stop()
  })

  /** There an ACL comes into force a moment after the answer. */
  const denied = async ({ what, ask, denied }: Denial): Promise<void> => {
    const expected = { what, answer: denied(ids) }
    const check = async () => expect({ what, answer: await ask(stranger, ids) }).toMatchObject(expected)
    await vi.waitFor(check, { timeout: 20_000, interval: 5 })
  }

  const served = denials.filter(({ isOld }) => isOld !== true)

  it('denies everything to who has no right at all, as this broker does', async () => {
    for (const one of served) if (one.has === undefined) await denied(one)
  })

  it.each(served.filter(({ has }) => has !== undefined))('denies $what as this broker does', async (one) => {
    await grant(admin, one.has ?? [])
    await denied(one)
    await revokeAll(admin)
  })
})
