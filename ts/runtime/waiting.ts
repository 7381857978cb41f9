/**
 * The reply tokens that pure state hands around: each stands for one caller that waits for exactly one answer.
 */
export class Waiting<Reply> {
  private readonly callers = new Map<number, (reply: Reply) => void>()
  private next = 1

  get size(): number {
    return this.callers.size
  }

  /** A new token for this caller. */
  add(caller: (reply: Reply) => void): number {
    const token = this.next++
    this.callers.set(token, caller)
    return token
  }

  /** Answers the caller of this token. A token answered before is left alone. */
  answer(token: number, reply: Reply): void {
    const caller = this.callers.get(token)
    if (caller === undefined) return
    this.callers.delete(token)
    caller(reply)
  }
}
