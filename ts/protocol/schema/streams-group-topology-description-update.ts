/**
 * StreamsGroupTopologyDescriptionUpdate (key 93): a Kafka Streams client hands in the description of its topology that
 * a heartbeat asked for (KIP-1331).
 * Flexible from v0.
 */
import { int16, int32, nested, string } from '../notation.js'
import { api } from '../table.js'
import { topologyDescription } from './streams-structs.js'

export const streamsGroupTopologyDescriptionUpdate = api({
  key: 93,
  name: 'StreamsGroupTopologyDescriptionUpdate',
  versions: [0, 0],
  flexible: 0,
  request: {
    groupId: string(),
    memberId: string(),
    topologyEpoch: int32(),
    topologyDescription: nested(topologyDescription),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: true, default: null }),
  },
})
