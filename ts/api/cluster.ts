/** DescribeCluster (key 60), v0–2: cluster id, controller and brokers, with the addresses of the asking listener. */
import { describeCluster, Errors, OPERATIONS_OMITTED } from '../protocol/index.js'
import { fencedBrokers } from '../state/image-view.js'
import { clusterOperations } from './authorize.js'
import { type Handler, serve } from './handler.js'

const BROKERS = 1
export const describeClusterHandler: Handler = serve(describeCluster, (call, body, broker) => {
  const { clusterId } = broker
  if (body.endpointType !== BROKERS) {
    // Kafka answers this way on a listener that is not a controller's.
    const errorCode =
      body.endpointType === 2 ? Errors.MISMATCHED_ENDPOINT_TYPE : Errors.UNSUPPORTED_ENDPOINT_TYPE
    const errorMessage = `The request was sent to a broker, and asks for endpoint type ${body.endpointType}`
    call.reply({ errorCode, errorMessage, endpointType: BROKERS, clusterId, brokers: [] })
    return
  }
  call.reply({
    errorCode: Errors.NONE,
    endpointType: BROKERS,
    clusterId,
    controllerId: broker.controllerId,
    brokers: [
      ...broker
        .brokers(call.listener)
        .map(({ nodeId, host, port, rack }) => ({ brokerId: nodeId, host, port, rack, isFenced: false })),
      ...(body.includeFencedBrokers ? fencedBrokers(broker.image(), call.listener) : []).map((fenced) => ({
        ...fenced,
        isFenced: true,
      })),
    ],
    clusterAuthorizedOperations: body.includeClusterAuthorizedOperations
      ? clusterOperations(broker.authorizer, call)
      : OPERATIONS_OMITTED,
  })
})
