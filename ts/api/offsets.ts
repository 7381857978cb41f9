/**
 * OffsetCommit (8) v0–10 and OffsetFetch (9) v0–10. They check names, ids and permissions against the image; the
 * group's shard does the rest. OffsetFetch v8+ may ask for several groups, which several shards answer.
 */
import { Errors, offsetCommit, offsetFetch, type RequestOf, ZERO_UUID } from '../protocol/index.js'
import type { OffsetCommitResponse, OffsetFetchGroupResponse } from '../state/group-messages.js'
import { topicById, topicByName } from '../state/image.js'
import type { GroupBroker } from './broker-view.js'
import { type Call, type Handler, serve } from './handler.js'

const NO_OFFSET = { committedOffset: -1, committedLeaderEpoch: -1, metadata: '' }

export const offsetHandlers: readonly Handler<GroupBroker>[] = [
  serve(offsetCommit, commit),
  serve(offsetFetch, fetch),
]

type CommitTopic = RequestOf<typeof offsetCommit>['topics'][number]

function commit(
  call: Call<typeof offsetCommit>,
  body: RequestOf<typeof offsetCommit>,
  broker: GroupBroker,
): void {
  if (!broker.authorizer.allows(call, 'READ', 'GROUP', body.groupId)) {
    const failed = body.topics.map((topic) => failedCommit(topic, Errors.GROUP_AUTHORIZATION_FAILED))
    call.reply({ topics: failed })
    return
  }
  // The answer keeps the order of the request: refused topics stay in their places.
  const refused = new Map<number, number>()
  const topics = body.topics.map((topic, index) => {
    const found = findTopic(broker, topic, call.version >= 10)
    if (typeof found === 'number') refused.set(index, found)
    else if (!broker.authorizer.allows(call, 'READ', 'TOPIC', found.name)) {
      refused.set(index, Errors.TOPIC_AUTHORIZATION_FAILED)
    }
    return typeof found === 'number' ? topic : { ...topic, name: found.name, topicId: found.topicId }
  })
  const accepted = topics.filter((_, index) => !refused.has(index))
  const finish = (answered: OffsetCommitResponse['topics']) => {
    const rest = answered[Symbol.iterator]()
    call.reply({
      topics: topics.map((topic, index) => {
        const code = refused.get(index)
        if (code !== undefined) return failedCommit(topic, code)
        const answer = rest.next()
        return answer.done ? failedCommit(topic, Errors.UNKNOWN_SERVER_ERROR) : answer.value
      }),
    })
  }
  if (accepted.length === 0 && topics.length > 0) {
    finish([])
    return
  }
  broker.groups.submit(
    { kind: 'offset-commit', apiVersion: call.version, body: { ...body, topics: accepted } },
    (reply) => finish((reply as OffsetCommitResponse).topics),
  )
}

function failedCommit(topic: CommitTopic, errorCode: number) {
  const partitions = topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode }))
  return { name: topic.name, topicId: topic.topicId, partitions }
}

/** Name and id of a topic that exists, or the error code. */
function findTopic(
  broker: GroupBroker,
  topic: { name: string; topicId: string },
  byId: boolean,
): { name: string; topicId: string } | number {
  const found = byId ? topicById(broker.image(), topic.topicId) : topicByName(broker.image(), topic.name)
  if (found !== undefined) return { name: found.name, topicId: found.topicId }
  return byId ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION
}

interface FetchTopic {
  name: string
  topicId: string
  partitionIndexes: number[]
}
interface FetchGroup {
  groupId: string
  topics: FetchTopic[] | null
}

function fetch(
  call: Call<typeof offsetFetch>,
  body: RequestOf<typeof offsetFetch>,
  broker: GroupBroker,
): void {
  const groups: FetchGroup[] =
    call.version >= 8 ? body.groups : [{ groupId: body.groupId, topics: withZeroIds(body.topics) }]
  const answers = new Map<number, OffsetFetchGroupResponse>()
  for (const [index, group] of groups.entries()) {
    fetchGroup(call, group, broker, (answer) => {
      answers.set(index, answer)
      if (answers.size === groups.length) replyFetch(call, groups, answers)
    })
  }
  if (groups.length === 0) call.reply({ groups: [] })
}

function withZeroIds(topics: { name: string; partitionIndexes: number[] }[] | null): FetchTopic[] | null {
  return topics?.map((topic) => ({ ...topic, topicId: ZERO_UUID })) ?? null
}

function fetchGroup(
  call: Call<typeof offsetFetch>,
  group: FetchGroup,
  broker: GroupBroker,
  done: (answer: OffsetFetchGroupResponse) => void,
): void {
  const { groupId } = group
  const byId = call.version >= 10
  if (!broker.authorizer.allows(call, 'DESCRIBE', 'GROUP', groupId)) {
    done({ groupId, errorCode: Errors.GROUP_AUTHORIZATION_FAILED, topics: [] })
    return
  }
  const mayDescribe = (name: string) => broker.authorizer.allows(call, 'DESCRIBE', 'TOPIC', name)
  const failed: OffsetFetchGroupResponse['topics'] = []
  const asked = group.topics?.flatMap((topic): FetchTopic[] => {
    // By name a topic may be gone and its offsets still be there, hence only ids are looked up.
    const found = byId ? findTopic(broker, topic, true) : topic
    const code =
      typeof found === 'number' ? found : mayDescribe(found.name) ? null : Errors.TOPIC_AUTHORIZATION_FAILED
    if (code === null && typeof found !== 'number') return [{ ...topic, ...found }]
    const errorCode = code ?? Errors.UNKNOWN_TOPIC_ID
    const partitions = topic.partitionIndexes.map((partitionIndex) => ({
      partitionIndex,
      ...NO_OFFSET,
      errorCode,
    }))
    failed.push({ name: topic.name, topicId: topic.topicId, partitions })
    return []
  })
  broker.groups.submit(
    { kind: 'offset-fetch', apiVersion: call.version, body: { groupId, topics: asked ?? null } },
    (reply) => {
      const answer = reply as OffsetFetchGroupResponse
      const topics = answer.topics.flatMap((topic) => {
        if (asked === undefined && !mayDescribe(topic.name)) return []
        if (!byId || topic.topicId !== ZERO_UUID) return [topic]
        const found = topicByName(broker.image(), topic.name)
        return found === undefined ? [] : [{ ...topic, topicId: found.topicId }]
      })
      done({ ...answer, topics: answer.errorCode === Errors.NONE ? [...topics, ...failed] : [] })
    },
  )
}

function replyFetch(
  call: Call<typeof offsetFetch>,
  groups: readonly FetchGroup[],
  answers: ReadonlyMap<number, OffsetFetchGroupResponse>,
): void {
  const ordered = groups.flatMap((_, index) => answers.get(index) ?? [])
  if (call.version >= 8) {
    call.reply({ groups: ordered })
    return
  }
  const [answer] = ordered
  const errorCode = answer?.errorCode ?? Errors.UNKNOWN_SERVER_ERROR
  if (errorCode === Errors.NONE || call.version >= 2) {
    call.reply({ topics: answer?.topics ?? [], errorCode })
    return
  }
  // Before version 2 an error has its place in each partition alone.
  const topics = groups[0]?.topics?.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, ...NO_OFFSET, errorCode })),
  }))
  call.reply({ topics: topics ?? [], errorCode })
}
