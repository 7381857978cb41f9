/**
 * Deadlines of the control plane: named timers in a heap over the monotonic clock. It asks for one wake-up, that of
 * the earliest deadline, and reads no clock itself. Equal deadlines fire in the order in which they were set.
 */
export type Fire = () => void

interface Entry {
  readonly at: number
  readonly sequence: number
  readonly name: string
  readonly fire: Fire
}

export class Timers {
  private heap: Entry[] = []
  private readonly live = new Map<string, Entry>()
  private sequence = 0

  get size(): number {
    return this.live.size
  }

  /** Sets the timer of this name, in place of an earlier one. `at`: monotonic ms. */
  set(name: string, at: number, fire: Fire): void {
    const entry: Entry = { at, sequence: this.sequence++, name, fire }
    this.live.set(name, entry)
    this.push(entry)
    // Replaced entries stay in the heap until their time; too many of them and the heap is built anew.
    if (this.heap.length > 64 && this.heap.length > 4 * this.live.size) this.rebuild()
  }

  cancel(name: string): void {
    this.live.delete(name)
  }

  /** When the next one is due, or null. */
  nextAt(): number | null {
    for (let first = this.heap[0]; first !== undefined; first = this.heap[0]) {
      if (this.live.get(first.name) === first) return first.at
      this.pop()
    }
    return null
  }

  /** Fires what is due. A timer set while firing fires in this call only if it is due as well. */
  runDue(monotonicMs: number): void {
    for (let at = this.nextAt(); at !== null && at <= monotonicMs; at = this.nextAt()) {
      const entry = this.pop()
      if (entry === undefined) return
      this.live.delete(entry.name)
      entry.fire()
    }
  }

  private rebuild(): void {
    const entries = [...this.live.values()]
    this.heap = []
    for (const entry of entries) this.push(entry)
  }

  private push(entry: Entry): void {
    const { heap } = this
    let index = heap.length
    heap.push(entry)
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = heap[above]
      if (parent === undefined || !before(entry, parent)) break
      heap[index] = parent
      index = above
    }
    heap[index] = entry
  }

  private pop(): Entry | undefined {
    const { heap } = this
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let index = 0
    for (;;) {
      const left = heap[2 * index + 1]
      const right = heap[2 * index + 2]
      const takeRight = left !== undefined && right !== undefined && before(right, left)
      const child = takeRight ? right : left
      if (child === undefined || !before(child, last)) break
      heap[index] = child
      index = 2 * index + (takeRight ? 2 : 1)
    }
    heap[index] = last
    return first
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at !== b.at ? a.at < b.at : a.sequence < b.sequence
}
