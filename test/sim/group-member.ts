// A member of a classic group: finds its coordinator, joins, syncs, reads what it was assigned from the committed
// offsets on, commits, beats, and sometimes leaves.
import {
  Errors,
  findCoordinator,
  heartbeat,
  joinGroup,
  leaveGroup,
  offsetCommit,
  type ResponseOf,
  syncGroup,
} from '../../ts/protocol/index.js'
import type { Stage } from './client.js'
import type { Commit } from './commits.js'
import { Violation } from './history.js'
import { OffsetReader } from './offset-reader.js'
import type { PartitionTruth } from './truth.js'

type State = 'finding' | 'joining' | 'syncing' | 'fetching-offsets' | 'stable' | 'away'

/** Joins and syncs wait for the other members. */
const others = () => true

/** [topic, partition] of each assigned partition. */
type Assignment = [string, number][]

const TRY_AGAIN: readonly number[] = [
  Errors.COORDINATOR_NOT_AVAILABLE,
  Errors.COORDINATOR_LOAD_IN_PROGRESS,
  Errors.NOT_COORDINATOR,
  Errors.REQUEST_TIMED_OUT,
]
const REJOIN: readonly number[] = [Errors.REBALANCE_IN_PROGRESS, Errors.ILLEGAL_GENERATION]
/** After these the commit may have been written nevertheless: Kafka answers so when the log was too slow. */
const COMMIT_UNDECIDED: readonly number[] = [Errors.COORDINATOR_NOT_AVAILABLE, Errors.NOT_COORDINATOR]

/** What the members of one group know of each other. */
export class GroupTruth {
  /** By generation and member: what the leader gave out; again, if its first answer was lost. */
  private readonly offered = new Map<string, Set<string>>()
  /** By generation and member: what the broker told. */
  private readonly told = new Map<string, string>()

  constructor(readonly name: string) {}

  offer(generation: number, member: string, assignment: string): void {
    const key = `${generation}/${member}`
    this.offered.set(key, (this.offered.get(key) ?? new Set()).add(assignment))
  }

  tell(generation: number, member: string, assignment: string): void {
    const key = `${generation}/${member}`
    const before = this.told.get(key)
    if (!this.offered.get(key)?.has(assignment) || (before !== undefined && before !== assignment)) {
      throw new Violation(
        `${this.name}: ${member} was assigned ${assignment} in generation ${generation}, which its leader ` +
          `never said or which was ${before} before`,
      )
    }
    this.told.set(key, assignment)
  }

  /** What was not durable may be gone, and its generation come again with another assignment. */
  powerLost(): void {
    this.told.clear()
  }
}

export class GroupMember extends OffsetReader {
  private state: State = 'finding'
  private memberId = ''
  private generation = -1
  private assigned: PartitionTruth[] = []
  private readonly rebalanceTimeoutMs: number

  constructor(
    name: string,
    stage: Stage,
    private readonly group: GroupTruth,
  ) {
    super(name, stage)
    this.rebalanceTimeoutMs = stage.random.between(2_000, 10_000)
  }

  protected onLost(): void {
    this.state = 'finding'
  }

  protected act(): void {
    const { random, draining } = this.stage
    if (draining) return
    if (this.state === 'stable') {
      if (this.inFlight < 3) this.actAsMember()
      return
    }
    if (this.inFlight > 0) return
    if (this.state === 'finding') this.find()
    else if (this.state === 'joining') this.join()
    else if (this.state === 'fetching-offsets') this.fetchOffsets()
    else if (this.state === 'away' && random.chance(0.1)) this.state = 'finding'
  }

  private actAsMember(): void {
    const { random } = this.stage
    const what = random.weighted({ fetch: 4, heartbeat: 2, commit: 6, offsets: 1, leave: 0.1 })
    if (what === 'heartbeat') this.beat()
    else if (what === 'leave') this.leave()
    else if (this.assigned.length === 0) return
    else if (what === 'fetch') this.fetch(random.some(this.assigned, 3))
    else if (what === 'commit') this.commit()
    else this.fetchOffsets()
  }

  private find(): void {
    const name = this.group.name
    const request = { key: name, keyType: 0, coordinatorKeys: [name] }
    this.ask(findCoordinator, this.versionOf(findCoordinator), request, (reply) => {
      const errorCode = reply.coordinators[0]?.errorCode ?? reply.errorCode
      if (errorCode === Errors.NONE) this.join()
      else if (!TRY_AGAIN.includes(errorCode)) throw this.unexpected('FindCoordinator', errorCode)
    })
  }

  private join(): void {
    this.state = 'joining'
    const request = {
      groupId: this.group.name,
      sessionTimeoutMs: 6_000,
      rebalanceTimeoutMs: this.rebalanceTimeoutMs,
      memberId: this.memberId,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from(this.name) }],
    }
    this.ask(
      joinGroup,
      this.versionOf(joinGroup),
      request,
      (reply) => {
        if (reply.errorCode === Errors.MEMBER_ID_REQUIRED) {
          this.memberId = reply.memberId
          this.join()
        } else if (reply.errorCode !== Errors.NONE) this.setBack('JoinGroup', reply.errorCode)
        else this.onJoined(reply)
      },
      others,
    )
  }

  private onJoined(reply: ResponseOf<typeof joinGroup>): void {
    this.memberId = reply.memberId
    this.generation = reply.generationId
    this.stage.note(`${this.name} is ${reply.memberId.slice(0, 8)} in generation ${reply.generationId}`)
    const leads = reply.leader === reply.memberId
    if (leads === (reply.members.length === 0))
      throw new Violation(`${this.name}: leader ${reply.leader} and ${reply.members.length} members`)
    const members = leads ? reply.members.map(({ memberId }) => memberId) : []
    this.sync(members)
  }

  private sync(members: readonly string[]): void {
    const { truth } = this.stage
    const parts: Assignment[] = members.map(() => [])
    for (const [index, { topic, index: partition }] of truth.partitions.entries())
      parts[index % members.length]?.push([topic.name, partition])
    const assignments = members.map((memberId, index) => {
      const text = JSON.stringify(parts[index])
      this.group.offer(this.generation, memberId, text)
      return { memberId, assignment: Buffer.from(text) }
    })
    const { generation, memberId } = this
    const request = {
      groupId: this.group.name,
      generationId: generation,
      memberId,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments,
    }
    this.state = 'syncing'
    this.ask(
      syncGroup,
      this.versionOf(syncGroup),
      request,
      (reply) => {
        if (reply.errorCode !== Errors.NONE) {
          this.setBack('SyncGroup', reply.errorCode)
          return
        }
        const text = reply.assignment.toString()
        this.group.tell(generation, memberId, text)
        this.assigned = (JSON.parse(text) as Assignment).flatMap(
          ([topic, index]) => truth.topic(topic)?.partitions[index] ?? [],
        )
        this.fetchOffsets()
      },
      others,
    )
  }

  private fetchOffsets(): void {
    if (this.state === 'syncing') this.state = 'fetching-offsets'
    this.askOffsets(this.group.name, this.assigned, (errorCode, committed) => {
      if (errorCode !== Errors.NONE) {
        this.setBack('OffsetFetch', errorCode)
        return
      }
      if (this.state !== 'fetching-offsets') return
      for (const [partition, offset] of committed) this.positions.set(partition, Math.max(offset, 0))
      this.state = 'stable'
    })
  }

  private beat(): void {
    const { generation: generationId, memberId } = this
    const request = { groupId: this.group.name, generationId, memberId }
    this.ask(heartbeat, this.versionOf(heartbeat), request, ({ errorCode }) => {
      if (errorCode !== Errors.NONE && generationId === this.generation) this.setBack('Heartbeat', errorCode)
    })
  }

  private commit(): void {
    const { commits, random } = this.stage
    const { generation, memberId } = this
    const group = this.group.name
    const partition = random.pick(this.assigned)
    const commit = commits.started(group, partition.name, this.positions.get(partition) ?? 0)
    const partitions = [
      {
        partitionIndex: partition.index,
        committedOffset: commit.offset,
        committedMetadata: String(commit.number),
      },
    ]
    const request = {
      groupId: group,
      generationIdOrMemberEpoch: generation,
      memberId,
      topics: [{ name: partition.topic.name, topicId: partition.topic.topicId, partitions }],
    }
    // Version 0 names no generation, so it may come from nobody but outsiders.
    const version = random.between(1, offsetCommit.maxVersion)
    this.ask(offsetCommit, version, request, ({ topics }) => {
      const errorCode = topics[0]?.partitions[0]?.errorCode ?? -1
      this.onCommitted(commit, partition, errorCode, generation)
    })
  }

  private onCommitted(
    commit: Commit,
    partition: PartitionTruth,
    errorCode: number,
    generation: number,
  ): void {
    const { commits } = this.stage
    if (errorCode === Errors.NONE) {
      commits.acked(commit)
      this.stage.note(`${this.name} commit ${commit.number} of ${partition.name}@${commit.offset} acked`)
      return
    }
    if (!COMMIT_UNDECIDED.includes(errorCode)) commits.refused(commit)
    if (generation === this.generation) this.setBack('OffsetCommit', errorCode)
  }

  private leave(): void {
    const { memberId } = this
    const request = { groupId: this.group.name, memberId, members: [{ memberId }] }
    this.state = 'away'
    this.stage.note(`${this.name} leaves`)
    this.ask(leaveGroup, this.versionOf(leaveGroup), request, (reply) => {
      const errorCode = reply.members[0]?.errorCode ?? reply.errorCode
      this.memberId = ''
      const gone = errorCode === Errors.NONE || errorCode === Errors.UNKNOWN_MEMBER_ID
      if (!gone && !TRY_AGAIN.includes(errorCode)) throw this.unexpected('LeaveGroup', errorCode)
    })
  }

  /** What every real consumer does with these errors; any other is one too many. */
  private setBack(what: string, errorCode: number): void {
    this.stage.note(`${this.name} ${what}: error ${errorCode}`)
    if (this.state === 'away') return
    if (TRY_AGAIN.includes(errorCode)) {
      this.state = 'finding'
    } else if (errorCode === Errors.UNKNOWN_MEMBER_ID) {
      this.memberId = ''
      this.state = 'joining'
    } else if (REJOIN.includes(errorCode)) {
      this.state = 'joining'
    } else {
      throw this.unexpected(what, errorCode)
    }
  }
}
