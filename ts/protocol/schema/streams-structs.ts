/**
 * What the tables of streams groups (KIP-1071) have in common. Structs alone: no API and no record is defined here.
 */
import { array, int8, int16, int32, int64, nested, string, uint16 } from '../notation.js'

/** Where interactive queries reach a client. */
export const endpoint = { host: string(), port: uint16() }

export const keyValue = { key: string(), value: string() }

/** Tasks of one subtopology, one per partition. */
export const taskIds = { subtopologyId: string(), partitions: array(int32()) }

/** How far a task has come. */
export const taskOffset = { subtopologyId: string(), partition: int32(), offset: int64() }

/** An internal topic; 0 partitions leave the number to the broker, a replication factor of 0 likewise. */
export const topicInfo = {
  name: string(),
  partitions: int32(),
  replicationFactor: int16(),
  topicConfigs: array(keyValue),
}

/** Node types: 1 source, 2 processor, 3 sink. Source topics, sink topic and stores belong to one type each. */
const topologyNode = {
  name: string(),
  nodeType: int8(),
  sourceTopics: array(string()),
  sinkTopic: string({ nullable: true, default: null }),
  stores: array(string()),
  successors: array(string()),
}

/** A topology as its developer sees it (KIP-1331). */
export const topologyDescription = {
  subtopologies: array({ subtopologyId: string(), nodes: array(topologyNode) }),
  globalStores: array({ source: nested(topologyNode), processor: nested(topologyNode) }),
}
