/** Decisions about random ACLs against those of Kafka's own StandardAuthorizer; the data plane reads the same file. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { answered } from '../acl-questions.js'

it('every decision is that of Kafka', () => {
  const golden = readFileSync(new URL('golden/acl-decisions.txt', import.meta.url), 'utf8')
  expect(answered(golden).split('\n')).toEqual(golden.split('\n'))
})
