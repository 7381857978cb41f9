// The committed offsets of groups as registers: what an OffsetFetch may answer, given which commits were acked before
// it was sent. It keeps score and sends nothing.
import { Violation } from './history.js'

/** Each commit carries its own number as metadata, so that two commits of one offset are told apart. */
export interface Commit {
  readonly number: number
  readonly offset: number
  readonly startedAt: number
  /** When its outcome was known, or the broker that held it was gone; Infinity before that. */
  endedAt: number
  acked: boolean
  refused: boolean
  /** Acked, and what was acked then survives whatever comes. */
  promised: boolean
}

interface Register {
  readonly commits: Map<number, Commit>
}

export class Commits {
  private readonly registers = new Map<string, Register>()
  private numbers = 0
  /** A moment is what orders requests and replies; it rises with each of them. */
  private moments = 0
  /** Commits that were acked. */
  promises = 0

  /** `durable`: an acked commit survives a loss of power. */
  constructor(private readonly durable: boolean) {}

  moment(): number {
    return ++this.moments
  }

  /** Groups with commits. */
  get groups(): string[] {
    return [...new Set([...this.registers.keys()].map((key) => key.slice(0, key.indexOf('/'))))]
  }

  private register(group: string, partition: string): Register {
    const key = `${group}/${partition}`
    const known = this.registers.get(key)
    if (known !== undefined) return known
    const register: Register = { commits: new Map() }
    this.registers.set(key, register)
    return register
  }

  started(group: string, partition: string, offset: number): Commit {
    const number = ++this.numbers
    const commit: Commit = {
      number,
      offset,
      startedAt: this.moment(),
      endedAt: Number.POSITIVE_INFINITY,
      acked: false,
      refused: false,
      promised: false,
    }
    this.register(group, partition).commits.set(number, commit)
    return commit
  }

  acked(commit: Commit): void {
    this.promises++
    commit.endedAt = this.moment()
    commit.acked = true
    commit.promised = true
  }

  /** Nothing of it may ever be seen. */
  refused(commit: Commit): void {
    commit.endedAt = this.moment()
    commit.refused = true
  }

  /** The broker is gone: what it had not decided, it never will. */
  brokerStopped(powerLost: boolean): void {
    const now = this.moment()
    for (const { commits } of this.registers.values()) {
      for (const commit of commits.values()) {
        commit.endedAt = Math.min(commit.endedAt, now)
        if (powerLost && !this.durable) commit.promised = false
      }
    }
  }

  /** An OffsetFetch that was sent at `askedAt` told `offset` with this metadata; −1: there is none. */
  fetched(group: string, partition: string, askedAt: number, offset: number, metadata: string | null): void {
    const { commits } = this.register(group, partition)
    const where = `${group}'s offset of ${partition}`
    const found = offset < 0 ? null : commits.get(Number(metadata))
    if (found === undefined) throw new Violation(`${where} is ${offset} (${metadata}): nobody committed that`)
    if (found?.refused) throw new Violation(`${where} is that of commit ${found.number}, which was refused`)
    if (found !== null && found.offset !== offset)
      throw new Violation(`${where} is ${offset}, but commit ${found.number} said ${found.offset}`)
    const endedAt = found?.endedAt ?? 0
    for (const later of commits.values()) {
      if (later.promised && endedAt < later.startedAt && later.endedAt < askedAt) {
        throw new Violation(
          `${where} is ${offset} of commit ${found?.number ?? 'none'}, but commit ${later.number} to ` +
            `${later.offset} was acked after that one and before the question`,
        )
      }
    }
  }
}
