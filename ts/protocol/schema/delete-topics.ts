/**
 * DeleteTopics (key 20): deletes topics by name or, from v6, by id.
 * v4 flexible · v5 error messages · v6 `topics` replaces `topicNames`; the name in the answer is null when unknown.
 */
import { array, int16, int32, string, uuid } from '../notation.js'
import { api } from '../table.js'

export const deleteTopics = api({
  key: 20,
  name: 'DeleteTopics',
  versions: [0, 6],
  flexible: 4,
  request: {
    topics: array({ name: string({ nullable: true, default: null }), topicId: uuid() }, { since: 6 }),
    topicNames: array(string(), { until: 5 }),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32({ since: 1 }),
    responses: array({
      name: string({ nullable: 6 }),
      topicId: uuid({ since: 6 }),
      errorCode: int16(),
      errorMessage: string({ since: 5, nullable: true, default: null }),
    }),
  },
})
