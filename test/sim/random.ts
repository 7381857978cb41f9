// The one source of choice in a simulated world: everything that varies comes from its seed. xoshiro128**, filled from
// the seed by splitmix32, so that neighbouring seeds give unrelated worlds.

function splitmix32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
}

const rotate = (value: number, by: number) => ((value << by) | (value >>> (32 - by))) >>> 0

export class Random {
  private a: number
  private b: number
  private c: number
  private d: number

  /** Any safe integer. */
  constructor(seed: number) {
    const low = splitmix32(seed >>> 0)
    const high = splitmix32(Math.floor(seed / 2 ** 32) ^ 0x5bd1e995)
    this.a = low() ^ high()
    this.b = low() ^ high()
    this.c = low() ^ high()
    this.d = (low() ^ high()) | 1
  }

  /** 0 to 2³² − 1. */
  next(): number {
    const result = Math.imul(rotate(Math.imul(this.b, 5) >>> 0, 7), 9) >>> 0
    const shifted = this.b << 9
    this.c ^= this.a
    this.d ^= this.b
    this.b ^= this.c
    this.a ^= this.d
    this.c ^= shifted
    this.d = rotate(this.d, 11)
    return result
  }

  /** 0 to `end` − 1. */
  below(end: number): number {
    return Math.floor((this.next() / 2 ** 32) * end)
  }

  /** `first` to `last`, both possible. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1)
  }

  chance(probability: number): boolean {
    return this.next() / 2 ** 32 < probability
  }

  pick<T>(list: readonly T[]): T {
    const picked = list[this.below(list.length)]
    if (picked === undefined) throw new Error('nothing to pick from')
    return picked
  }

  /** At most `count` different ones, in random order. */
  some<T>(list: readonly T[], count: number): T[] {
    const rest = [...list]
    const taken: T[] = []
    while (taken.length < count && rest.length > 0) taken.push(...rest.splice(this.below(rest.length), 1))
    return taken
  }

  /** One of the names, in proportion to the weights. */
  weighted<N extends string>(weights: Readonly<Record<N, number>>): N {
    const entries = Object.entries(weights) as [N, number][]
    let left = (this.next() / 2 ** 32) * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of entries) {
      left -= weight
      if (left < 0) return name
    }
    return (entries[0] as [N, number])[0]
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)))
  }

  uuid(): string {
    const hex = this.bytes(16).toString('hex')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
  }

  kafkaUuid(): string {
    return this.bytes(16).toString('base64url').replace(/^-/, 'A')
  }
}
