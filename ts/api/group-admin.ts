/**
 * What administrators ask of groups. ListGroups (16) v0–5 asks every shard of this broker and hides what the asker may
 * not describe; DescribeGroups (15) v0–6 and DeleteGroups (42) v0–3 answer for each group on its own, in the order of
 * the request with the refused ones first; OffsetDelete (47) v0 judges partitions against the image before the group does.
 */
import {
  deleteGroups,
  describeGroups,
  Errors,
  listGroups,
  offsetDelete,
  type RequestOf,
} from '../protocol/index.js'
import type {
  DeletedGroup,
  DescribedGroup,
  GroupReply,
  OffsetDeleteResponse,
} from '../state/group-messages.js'
import { topicByName } from '../state/image.js'
import { type Asker, authorizedOperations, CLUSTER_NAME, type Operation } from './authorize.js'
import type { AskedOfGroup, BrokerView } from './broker-view.js'
import { type Call, type Handler, serve } from './handler.js'

export const groupAdminHandlers: readonly Handler[] = [
  serve(listGroups, (call, body, broker) => {
    const { authorizer } = broker
    const describesAll = authorizer.allows(call, 'DESCRIBE', 'CLUSTER', CLUSTER_NAME, 'granted')
    broker.groups.list(body, call.version, ({ errorCode, groups }) => {
      const shown = groups.filter(
        ({ groupId }) => describesAll || authorizer.allows(call, 'DESCRIBE', 'GROUP', groupId, 'granted'),
      )
      call.reply({ errorCode, groups: shown })
    })
  }),

  serve(describeGroups, (call, body, broker) => {
    askEach(body.groups, 'describe-group', 'DESCRIBE', call, broker, (replies) => {
      const groups = (replies as DescribedGroup[]).map((group) => {
        if (!body.includeAuthorizedOperations || group.errorCode !== Errors.NONE) return group
        const operations = authorizedOperations(broker.authorizer, call, 'GROUP', group.groupId)
        return { ...group, authorizedOperations: operations }
      })
      call.reply({ groups })
    })
  }),

  serve(deleteGroups, (call, body, broker) => {
    // A name that stands there twice is one group.
    const groupIds = [...new Set(body.groupsNames)]
    askEach(groupIds, 'delete-group', 'DELETE', call, broker, (replies) => {
      call.reply({ results: replies as DeletedGroup[] })
    })
  }),

  serve(offsetDelete, deleteOffsets),
]

function may(call: Asker, operation: Operation, groupId: string, broker: BrokerView): boolean {
  return broker.authorizer.allows(call, operation, 'GROUP', groupId)
}

/** One request for each group to its own shard; calls back once with all replies, the unauthorised ones first. */
function askEach(
  groupIds: readonly string[],
  kind: 'describe-group' | 'delete-group',
  operation: Operation,
  call: Asker & Pick<Call, 'version'>,
  broker: BrokerView,
  done: (replies: GroupReply[]) => void,
): void {
  const allowed: AskedOfGroup[] = []
  const refused: GroupReply[] = []
  for (const groupId of groupIds) {
    const request: AskedOfGroup = { kind, apiVersion: call.version, body: { groupId } }
    if (may(call, operation, groupId, broker)) allowed.push(request)
    else refused.push(broker.groups.refusal(request, Errors.GROUP_AUTHORIZATION_FAILED))
  }
  const replies = new Map<number, GroupReply>()
  for (const [index, request] of allowed.entries()) {
    broker.groups.submit(request, (reply) => {
      replies.set(index, reply)
      if (replies.size < allowed.length) return
      done([...refused, ...allowed.flatMap((_, position) => replies.get(position) ?? [])])
    })
  }
  if (allowed.length === 0) done(refused)
}

function deleteOffsets(
  call: Call<typeof offsetDelete>,
  body: RequestOf<typeof offsetDelete>,
  broker: BrokerView,
): void {
  if (!may(call, 'DELETE', body.groupId, broker)) {
    call.reply({ errorCode: Errors.GROUP_AUTHORIZATION_FAILED, topics: [] })
    return
  }
  const refused: OffsetDeleteResponse['topics'] = []
  const topics = body.topics.flatMap(({ name, partitions }) => {
    const judged = partitions.map(({ partitionIndex }) => {
      return { partitionIndex, errorCode: partitionError(call, name, partitionIndex, broker) }
    })
    const wrong = judged.filter(({ errorCode }) => errorCode !== Errors.NONE)
    if (wrong.length > 0) refused.push({ name, partitions: wrong })
    const right = judged.filter(({ errorCode }) => errorCode === Errors.NONE)
    return right.length > 0 ? [{ name, partitions: right }] : []
  })
  const request = { kind: 'offset-delete', apiVersion: call.version, body: { ...body, topics } } as const
  broker.groups.submit(request, (reply) => {
    const answered = reply as OffsetDeleteResponse
    if (answered.errorCode !== Errors.NONE) call.reply(answered)
    else call.reply({ ...answered, topics: joined(refused, answered.topics) })
  })
}

/** Both answers with each topic once. */
function joined(
  refused: OffsetDeleteResponse['topics'],
  decided: OffsetDeleteResponse['topics'],
): OffsetDeleteResponse['topics'] {
  const topics = new Map(refused.map((topic) => [topic.name, topic]))
  for (const { name, partitions } of decided) {
    topics.set(name, { name, partitions: [...(topics.get(name)?.partitions ?? []), ...partitions] })
  }
  return [...topics.values()]
}

function partitionError(call: Asker, topic: string, partition: number, broker: BrokerView): number {
  if (!broker.authorizer.allows(call, 'READ', 'TOPIC', topic)) return Errors.TOPIC_AUTHORIZATION_FAILED
  const there = topicByName(broker.image(), topic)?.partitions.get(partition) !== undefined
  return there ? Errors.NONE : Errors.UNKNOWN_TOPIC_OR_PARTITION
}
