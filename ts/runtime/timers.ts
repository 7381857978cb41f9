/**
 * Deadlines of the control plane: a heap over the monotonic clock. It asks for one wake-up, at the earliest
 * deadline or before, and reads no clock itself. Equal deadlines fire in the order in which they were set.
 */
export type Fire = () => void

/** A timer that was set, for whoever set it to move and to cancel; only Timers looks inside. */
export interface Timer {
  at: number
  sequence: number
  fire: Fire
  /** Null once it has fired or was cancelled. */
  slot: Slot | null
}

/** A place in the heap. A timer that was moved to later keeps the one it has until that comes up. */
interface Slot {
  readonly at: number
  readonly sequence: number
  readonly timer: Timer
}

export class Timers {
  private heap: Slot[] = []
  private live = 0
  private sequence = 0

  get size(): number {
    return this.live
  }

  /** `at`: monotonic ms. */
  set(at: number, fire: Fire): Timer {
    const timer: Timer = { at, sequence: this.sequence++, fire, slot: null }
    this.live += 1
    this.push(timer)
    return timer
  }

  /** Gives a timer another deadline and function, as if it were set only now; one that has fired is set again. */
  move(timer: Timer, at: number, fire: Fire): void {
    timer.at = at
    timer.sequence = this.sequence++
    timer.fire = fire
    if (timer.slot === null) this.live += 1
    if (timer.slot === null || at < timer.slot.at) this.push(timer)
  }

  cancel(timer: Timer): void {
    if (timer.slot === null) return
    timer.slot = null
    this.live -= 1
  }

  /** When to call `runDue` next: no timer is due before, and perhaps none then. Null: nothing is set. */
  nextAt(): number | null {
    for (let first = this.heap[0]; first !== undefined; first = this.heap[0]) {
      if (first.timer.slot === first) return first.at
      this.pop()
    }
    return null
  }

  /** Fires what is due. A timer set while firing fires in this call only if it is due as well. */
  runDue(monotonicMs: number): void {
    for (let at = this.nextAt(); at !== null && at <= monotonicMs; at = this.nextAt()) {
      const slot = this.pop()
      if (slot === undefined) return
      const { timer } = slot
      if (timer.sequence === slot.sequence) {
        this.cancel(timer)
        timer.fire()
      } else this.push(timer)
    }
  }

  private push(timer: Timer): void {
    const slot: Slot = { at: timer.at, sequence: timer.sequence, timer }
    timer.slot = slot
    this.insert(slot)
    // Places that were left stay in the heap until their time; too many of them and the heap is built anew.
    if (this.heap.length > 64 && this.heap.length > 4 * this.live) this.rebuild()
  }

  private rebuild(): void {
    const slots = this.heap
    this.heap = []
    for (const slot of slots) {
      if (slot.timer.slot === slot) this.insert(slot)
    }
  }

  private insert(slot: Slot): void {
    const { heap } = this
    let index = heap.length
    heap.push(slot)
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = heap[above]
      if (parent === undefined || !before(slot, parent)) break
      heap[index] = parent
      index = above
    }
    heap[index] = slot
  }

  private pop(): Slot | undefined {
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

function before(a: Slot, b: Slot): boolean {
  return a.at !== b.at ? a.at < b.at : a.sequence < b.sequence
}
