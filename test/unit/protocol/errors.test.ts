/** The error table agrees with Kafka's numbers. */
import { expect, it } from 'vitest'
import { Errors, errorMessage, errorName } from '../../../ts/protocol/index.js'

it('has every code from −1 to 136, once', () => {
  const codes = Object.values(Errors).sort((a, b) => a - b)
  expect(codes).toEqual(Array.from({ length: 138 }, (_, i) => i - 1))
})

it('finds name and message by code', () => {
  expect([Errors.NOT_COORDINATOR, errorName(16)]).toEqual([16, 'NOT_COORDINATOR'])
  expect(errorMessage(Errors.REBALANCE_IN_PROGRESS)).toBe('The group is rebalancing, so a rejoin is needed.')
})

it('takes a code that Kafka does not have for an unknown server error', () => {
  expect(errorName(9999)).toBe('UNKNOWN_SERVER_ERROR')
  expect(errorMessage(9999)).toBe(errorMessage(Errors.UNKNOWN_SERVER_ERROR))
})
