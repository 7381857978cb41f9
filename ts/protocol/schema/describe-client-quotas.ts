/**
 * DescribeClientQuotas (key 48): client quotas that match entity filters (KIP-546). A match type of 0 wants the exact
 * name, 1 the default entity, 2 any.
 * v1 flexible.
 */
import { array, bool, float64, int8, int16, int32, string } from '../notation.js'
import { api } from '../table.js'

export const describeClientQuotas = api({
  key: 48,
  name: 'DescribeClientQuotas',
  versions: [0, 1],
  flexible: 1,
  request: {
    components: array({ entityType: string(), matchType: int8(), match: string({ nullable: true }) }),
    strict: bool(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
    entries: array(
      {
        entity: array({ entityType: string(), entityName: string({ nullable: true }) }),
        values: array({ key: string(), value: float64() }),
      },
      { nullable: true },
    ),
  },
})
