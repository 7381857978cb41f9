/** ACLs through the wire: what CreateAcls, DescribeAcls and DeleteAcls answer, and that both planes obey at once. */
import { describe, expect, it } from 'vitest'
import {
  createAcls,
  createTopics,
  deleteAcls,
  describeAcls,
  describeCluster,
  Errors,
  fetch,
  metadata,
  produce,
} from '../../../ts/protocol/index.js'
import { AclOperation, PatternType, PermissionType, ResourceType } from '../../../ts/state/acl.js'
import { recordBatch } from '../../record-batch.js'
import { SimBroker } from './sim-broker.js'

const ANY = {
  resourceTypeFilter: ResourceType.ANY,
  resourceNameFilter: null,
  patternTypeFilter: PatternType.ANY,
  principalFilter: null,
  hostFilter: null,
  operation: AclOperation.ANY,
  permissionType: PermissionType.ANY,
}
const creation = (operation: number, resourceName: string, extra: object = {}) => ({
  resourceType: ResourceType.TOPIC,
  resourceName,
  resourcePatternType: PatternType.LITERAL,
  principal: 'User:ANONYMOUS',
  host: '*',
  operation,
  permissionType: PermissionType.ALLOW,
  ...extra,
})
const STANDARD = { 'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer' }
/** Whoever may change ACLs here stays able to: nobody is shut out of a resource without ACLs. */
const OPEN = { ...STANDARD, 'allow.everyone.if.no.acl.found': true }

describe('without an authorizer', () => {
  it('every API of ACLs answers SECURITY_DISABLED', () => {
    const broker = new SimBroker()
    const conn = broker.connect()
    const code = Errors.SECURITY_DISABLED
    expect(broker.ask(conn, describeAcls, 3, ANY)).toMatchObject({ errorCode: code, resources: [] })
    const creations = [creation(AclOperation.READ, 'a'), creation(AclOperation.WRITE, 'a')]
    expect(broker.ask(conn, createAcls, 3, { creations }).results).toMatchObject([
      { errorCode: code, errorMessage: 'No Authorizer is configured.' },
      { errorCode: code },
    ])
    expect(broker.ask(conn, deleteAcls, 3, { filters: [ANY] }).filterResults).toMatchObject([
      { errorCode: code, matchingAcls: [] },
    ])
  })
})

describe('with the standard authorizer', () => {
  const topicOf = (name: string) => ({
    name,
    numPartitions: 1,
    replicationFactor: -1,
    assignments: [],
    configs: [],
  })
  const start = () => {
    const broker = new SimBroker(OPEN)
    const conn = broker.connect()
    const topics = [topicOf('orders'), topicOf('orders-eu')]
    broker.ask(conn, createTopics, 7, { topics, timeoutMs: 1000, validateOnly: false })
    return { broker, conn }
  }
  const produceTo = (broker: SimBroker, conn: number, name: string) => {
    const topicData = [{ name, partitionData: [{ index: 0, records: recordBatch([{ value: 'x' }]) }] }]
    const { responses } = broker.ask(conn, produce, 8, { acks: -1, timeoutMs: 1000, topicData })
    return responses[0]?.partitionResponses[0]?.errorCode
  }
  const metadataOf = (broker: SimBroker, conn: number, name: string) =>
    broker.ask(conn, metadata, 12, { topics: [{ name }], allowAutoTopicCreation: false }).topics[0]?.errorCode
  const both = (broker: SimBroker, conn: number, name: string) => [
    produceTo(broker, conn, name),
    metadataOf(broker, conn, name),
  ]

  it('an ACL is in force in both planes when its creation is answered, and gone when its deletion is', () => {
    const { broker, conn } = start()
    const denied = Errors.TOPIC_AUTHORIZATION_FAILED
    expect(both(broker, conn, 'orders-eu')).toEqual([Errors.NONE, Errors.NONE])
    const shut = creation(AclOperation.ALL, 'orders', {
      resourcePatternType: PatternType.PREFIXED,
      permissionType: PermissionType.DENY,
    })
    expect(broker.ask(conn, createAcls, 3, { creations: [shut] }).results).toEqual([
      { errorCode: Errors.NONE, errorMessage: null },
    ])
    expect(both(broker, conn, 'orders-eu')).toEqual([denied, denied])
    const filters = [{ ...ANY, patternTypeFilter: PatternType.MATCH, resourceNameFilter: 'orders-eu' }]
    const { filterResults } = broker.ask(conn, deleteAcls, 3, { filters })
    const { resourcePatternType: patternType, ...rest } = shut
    expect(filterResults).toMatchObject([
      { errorCode: Errors.NONE, matchingAcls: [{ ...rest, patternType }] },
    ])
    expect(both(broker, conn, 'orders-eu')).toEqual([Errors.NONE, Errors.NONE])
  })

  it('ACLs are there again after a restart, in both planes', () => {
    const { broker, conn } = start()
    const creations = [creation(AclOperation.WRITE, 'orders', { host: '127.0.0.2' })]
    broker.ask(conn, createAcls, 3, { creations })
    broker.restart()
    const again = broker.connect()
    const denied = Errors.TOPIC_AUTHORIZATION_FAILED
    expect(both(broker, again, 'orders')).toEqual([denied, denied])
    expect(both(broker, again, 'orders-eu')).toEqual([Errors.NONE, Errors.NONE])
    expect(broker.ask(again, describeAcls, 1, ANY).resources).toMatchObject([
      { resourceName: 'orders', patternType: PatternType.LITERAL, acls: [{ host: '127.0.0.2' }] },
    ])
  })

  it('version 0 means literal patterns', () => {
    const { broker, conn } = start()
    broker.ask(conn, createAcls, 0, { creations: [creation(AclOperation.READ, 'orders')] })
    const prefixed = creation(AclOperation.READ, 'ord', { resourcePatternType: PatternType.PREFIXED })
    broker.ask(conn, createAcls, 2, { creations: [prefixed] })
    const names = (version: number) =>
      broker.ask(conn, describeAcls, version, ANY).resources.map(({ resourceName }) => resourceName)
    expect(names(0)).toEqual(['orders'])
    expect(names(3).sort()).toEqual(['ord', 'orders'])
    expect(broker.ask(conn, deleteAcls, 0, { filters: [ANY] }).filterResults[0]?.matchingAcls.length).toBe(1)
    expect(names(3)).toEqual(['ord'])
  })

  it('an unknown filter is refused by name', () => {
    const { broker, conn } = start()
    const answer = broker.ask(conn, describeAcls, 3, { ...ANY, operation: 99 })
    expect(answer).toMatchObject({ errorCode: Errors.INVALID_REQUEST, errorMessage: 'Unknown entryFilter.' })
  })

  it('a refusal in either plane is a line of the audit log that says who, what, from where and why', () => {
    const { broker, conn } = start()
    const creations = [creation(AclOperation.WRITE, 'orders', { permissionType: PermissionType.DENY })]
    broker.ask(conn, createAcls, 3, { creations })
    produceTo(broker, conn, 'orders')
    broker.ask(conn, describeAcls, 3, ANY)
    const lines = broker.lines.filter((line) => line.startsWith('info: User:ANONYMOUS is denied'))
    expect(lines.length).toBe(1)
    for (const part of ['"host":"127.0.0.1"', '"operation":"WRITE"', '"resource":"TOPIC:LITERAL:orders"']) {
      expect(lines[0]).toContain(part)
    }
    expect(lines[0]).toMatch(/"request":"Produce".*"rule":\{.*"permissionType":2/)
  })

  it('a super user may do everything, and whoever is none nothing without an ACL', () => {
    const broker = new SimBroker({ ...STANDARD, 'super.users': 'User:root;User:ANONYMOUS' })
    const conn = broker.connect()
    broker.ask(conn, createTopics, 7, { topics: [topicOf('orders')], timeoutMs: 1000, validateOnly: false })
    const deny = creation(AclOperation.ALL, 'orders', { permissionType: PermissionType.DENY })
    broker.ask(conn, createAcls, 3, { creations: [deny] })
    expect(both(broker, conn, 'orders')).toEqual([Errors.NONE, Errors.NONE])
    broker.restart({ ...STANDARD, 'super.users': 'User:root' })
    const again = broker.connect()
    const denied = Errors.TOPIC_AUTHORIZATION_FAILED
    expect(both(broker, again, 'orders')).toEqual([denied, denied])
    const refused = Errors.CLUSTER_AUTHORIZATION_FAILED
    expect(broker.ask(again, describeAcls, 3, ANY).errorCode).toBe(refused)
    expect(broker.ask(again, createAcls, 3, { creations: [deny] }).results).toMatchObject([
      { errorCode: refused },
    ])
    expect(broker.ask(again, deleteAcls, 3, { filters: [ANY] }).filterResults).toMatchObject([
      { errorCode: refused, matchingAcls: [] },
    ])
  })

  it('a fetch session keeps the answer of each request: who is shut out on the way gets nothing more', () => {
    const { broker, conn } = start()
    produceTo(broker, conn, 'orders')
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000, logStartOffset: -1 }]
    const request = { maxWaitMs: 0, minBytes: 0, topics: [{ topic: 'orders', partitions }] }
    const first = broker.ask(conn, fetch, 7, {
      ...request,
      sessionId: 0,
      sessionEpoch: 0,
      forgottenTopicsData: [],
    })
    expect(first.responses[0]?.partitions[0]?.errorCode).toBe(Errors.NONE)
    const creations = [creation(AclOperation.READ, 'orders', { permissionType: PermissionType.DENY })]
    broker.ask(conn, createAcls, 3, { creations })
    const { sessionId } = first
    const next = { ...request, topics: [], sessionId, sessionEpoch: 1, forgottenTopicsData: [] }
    expect(broker.ask(conn, fetch, 7, next).responses[0]?.partitions[0]?.errorCode).toBe(
      Errors.TOPIC_AUTHORIZATION_FAILED,
    )
  })

  it('tells the operations that are allowed, and none of a cluster that may not be described', () => {
    const { broker, conn } = start()
    const all = { includeClusterAuthorizedOperations: true }
    const operations = () => broker.ask(conn, describeCluster, 1, all).clusterAuthorizedOperations
    expect(operations()).toBe([5, 7, 8, 9, 10, 11, 12].reduce((bits, bit) => bits | (1 << bit), 0))
    const onCluster = { resourceType: ResourceType.CLUSTER }
    const alter = creation(AclOperation.ALTER, 'kafka-cluster', onCluster)
    broker.ask(conn, createAcls, 3, { creations: [alter] })
    expect(operations()).toBe((1 << AclOperation.ALTER) | (1 << AclOperation.DESCRIBE))
    broker.ask(conn, createAcls, 3, {
      creations: [{ ...alter, operation: AclOperation.DESCRIBE, permissionType: PermissionType.DENY }],
    })
    expect(operations()).toBe(0)
  })
})
