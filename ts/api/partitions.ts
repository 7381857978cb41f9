/**
 * CreatePartitions (37) v0–3, ElectLeaders (43) v0–2, AlterPartitionReassignments (45) v0–1 and
 * ListPartitionReassignments (46) v0. They check permission; the controller decides. Reassignments are done when they
 * are answered, so none is ever in progress.
 */
import {
  alterPartitionReassignments,
  createPartitions,
  Errors,
  electLeaders,
  errorMessage,
  listPartitionReassignments,
} from '../protocol/index.js'
import { electionFailed, reassignFailed } from '../state/reassignments.js'
import { CLUSTER_NAME, type Operation } from './authorize.js'
import type { BrokerView } from './broker-view.js'
import { type Handler, serve } from './handler.js'

const onCluster = ({ authorizer }: BrokerView, principal: string, operation: Operation): boolean =>
  authorizer.allows(principal, operation, 'CLUSTER', CLUSTER_NAME)

export const partitionHandlers: readonly Handler[] = [
  serve(createPartitions, ({ principal, reply }, body, broker) => {
    const mayAlter = (name: string) => broker.authorizer.allows(principal, 'ALTER', 'TOPIC', name)
    const errorCode = Errors.TOPIC_AUTHORIZATION_FAILED
    const refused = body.topics
      .filter(({ name }) => !mayAlter(name))
      .map(({ name }) => ({ name, errorCode, errorMessage: errorMessage(errorCode) }))
    const topics = body.topics.filter(({ name }) => mayAlter(name))
    if (topics.length === 0) {
      reply({ results: refused })
      return
    }
    broker.controller.createPartitions({ ...body, topics }, ({ results }) => {
      reply({ results: [...results, ...refused] })
    })
  }),

  serve(electLeaders, ({ version, principal, reply }, body, broker) => {
    if (!onCluster(broker, principal, 'ALTER')) {
      const errorCode = Errors.CLUSTER_AUTHORIZATION_FAILED
      // Version 0 has no error but those of the partitions.
      const replicaElectionResults = (body.topicPartitions ?? []).map(({ topic, partitions }) => ({
        topic,
        partitionResult: partitions.map((partitionId) => ({
          partitionId,
          errorCode,
          errorMessage: errorMessage(errorCode),
        })),
      }))
      reply(version === 0 ? { errorCode, replicaElectionResults } : electionFailed(errorCode))
      return
    }
    broker.controller.electLeaders(body, reply)
  }),

  serve(alterPartitionReassignments, ({ principal, reply }, body, broker) => {
    if (onCluster(broker, principal, 'ALTER')) broker.controller.reassign(body, reply)
    else reply(reassignFailed(Errors.CLUSTER_AUTHORIZATION_FAILED))
  }),

  serve(listPartitionReassignments, ({ principal, reply }, _, broker) => {
    const allowed = onCluster(broker, principal, 'DESCRIBE')
    const errorCode = allowed ? Errors.NONE : Errors.CLUSTER_AUTHORIZATION_FAILED
    reply({ errorCode, errorMessage: allowed ? null : errorMessage(errorCode), topics: [] })
  }),
]
