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
import { type Asker, CLUSTER_NAME, type Operation } from './authorize.js'
import type { BrokerView } from './broker-view.js'
import { type Handler, serve } from './handler.js'

const onCluster = ({ authorizer }: BrokerView, asker: Asker, operation: Operation): boolean =>
  authorizer.allows(asker, operation, 'CLUSTER', CLUSTER_NAME)

export const partitionHandlers: readonly Handler[] = [
  serve(createPartitions, (call, body, broker) => {
    const mayAlter = (name: string) => broker.authorizer.allows(call, 'ALTER', 'TOPIC', name)
    const errorCode = Errors.TOPIC_AUTHORIZATION_FAILED
    const refused = body.topics
      .filter(({ name }) => !mayAlter(name))
      .map(({ name }) => ({ name, errorCode, errorMessage: errorMessage(errorCode) }))
    const topics = body.topics.filter(({ name }) => mayAlter(name))
    if (topics.length === 0) {
      call.reply({ results: refused })
      return
    }
    broker.controller.createPartitions({ ...body, topics }, ({ results }) => {
      call.reply({ results: [...results, ...refused] })
    })
  }),

  serve(electLeaders, (call, body, broker) => {
    if (!onCluster(broker, call, 'ALTER')) {
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
      call.reply(call.version === 0 ? { errorCode, replicaElectionResults } : electionFailed(errorCode))
      return
    }
    broker.controller.electLeaders(body, call.reply)
  }),

  serve(alterPartitionReassignments, (call, body, broker) => {
    if (onCluster(broker, call, 'ALTER')) broker.controller.reassign(body, call.reply)
    else call.reply(reassignFailed(Errors.CLUSTER_AUTHORIZATION_FAILED))
  }),

  serve(listPartitionReassignments, (call, _, broker) => {
    const allowed = onCluster(broker, call, 'DESCRIBE')
    const errorCode = allowed ? Errors.NONE : Errors.CLUSTER_AUTHORIZATION_FAILED
    call.reply({ errorCode, errorMessage: allowed ? null : errorMessage(errorCode), topics: [] })
  }),
]
