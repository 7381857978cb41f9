// An immutable map that shares structure: a change copies one small path, never the whole.
// Owns nothing but that. Iteration is in a fixed order of the keys' hashes, the same for the same keys.

/** Up to so many entries a node is a plain map; beyond, it branches by five bits of the hash. */
const MAX_LEAF = 16
const BITS = 5
const FANOUT = 1 << BITS
/** Deeper than this all bits of the hash are used up: equal hashes share a leaf of any size. */
const MAX_DEPTH = 6

type Key = string | number
type Node<K extends Key, V> = Leaf<K, V> | Branch<K, V>
/** Whose nodes may be changed in place: a draft has one while it lives, and no other map sees its nodes by then. */
type Owner = object | null
interface Leaf<K extends Key, V> {
  readonly owner: Owner
  readonly entries: Map<K, V>
}
interface Branch<K extends Key, V> {
  readonly owner: Owner
  readonly children: (Node<K, V> | null)[]
}

export class PersistentMap<K extends Key, V> {
  readonly #root: Node<K, V>
  readonly size: number

  /** Of a draft or a map of this module: nobody changes the nodes any more. */
  constructor(root: Node<K, V>, size: number) {
    this.#root = root
    this.size = size
  }

  static empty<K extends Key, V>(): PersistentMap<K, V> {
    return new PersistentMap<K, V>(emptyLeaf(null), 0)
  }

  get(key: K): V | undefined {
    return getIn(this.#root, key)
  }

  has(key: K): boolean {
    return this.get(key) !== undefined
  }

  /** A map with this value for the key; the map itself if it already holds exactly that. */
  set(key: K, value: V): PersistentMap<K, V> {
    const old = this.get(key)
    if (old === value) return this
    const root = setIn(this.#root, hashOf(key), 0, key, value, null)
    return new PersistentMap(root, old === undefined ? this.size + 1 : this.size)
  }

  /** A map without the key; the map itself if it does not have it. */
  delete(key: K): PersistentMap<K, V> {
    if (!this.has(key)) return this
    return new PersistentMap(deleteIn(this.#root, hashOf(key), key), this.size - 1)
  }

  /** For many changes at once: they cost what those of a plain map cost, and this map stays as it is. */
  draft(): MapDraft<K, V> {
    return new MapDraft(this.#root, this.size)
  }

  *[Symbol.iterator](): IterableIterator<[K, V]> {
    yield* entriesOf(this.#root)
  }

  *keys(): IterableIterator<K> {
    for (const [key] of this) yield key
  }

  *values(): IterableIterator<V> {
    for (const [, value] of this) yield value
  }
}

/** A map while many of its entries change: copies a node once, then changes that copy in place. */
export class MapDraft<K extends Key, V> {
  #root: Node<K, V>
  #size: number
  #owner: object = {}

  constructor(root: Node<K, V>, size: number) {
    this.#root = root
    this.#size = size
  }

  get(key: K): V | undefined {
    return getIn(this.#root, key)
  }

  set(key: K, value: V): void {
    const old = getIn(this.#root, key)
    if (old === value) return
    this.#root = setIn(this.#root, hashOf(key), 0, key, value, this.#owner)
    if (old === undefined) this.#size += 1
  }

  /** The map as it is now; further changes do not touch it. */
  finish(): PersistentMap<K, V> {
    this.#owner = {}
    return new PersistentMap(this.#root, this.#size)
  }
}

function emptyLeaf<K extends Key, V>(owner: Owner): Leaf<K, V> {
  return { owner, entries: new Map() }
}

function* entriesOf<K extends Key, V>(node: Node<K, V>): IterableIterator<[K, V]> {
  if ('entries' in node) yield* node.entries
  else for (const child of node.children) if (child) yield* entriesOf(child)
}

function getIn<K extends Key, V>(root: Node<K, V>, key: K): V | undefined {
  let node = root
  for (let hash = hashOf(key); ; hash >>>= BITS) {
    if ('entries' in node) return node.entries.get(key)
    const child: Node<K, V> | null | undefined = node.children[hash & (FANOUT - 1)]
    if (!child) return undefined
    node = child
  }
}

/** With this value for the key: nodes of `owner` are changed in place, all others copied for it. */
function setIn<K extends Key, V>(
  node: Node<K, V>,
  hash: number,
  depth: number,
  key: K,
  value: V,
  owner: Owner,
): Node<K, V> {
  const own = owner !== null && node.owner === owner
  if ('entries' in node) {
    const entries = (own ? node.entries : new Map(node.entries)).set(key, value)
    if (entries.size > MAX_LEAF && depth <= MAX_DEPTH) return branched(entries, depth, owner)
    return own ? node : { owner, entries }
  }
  const index = hash & (FANOUT - 1)
  const child = node.children[index] ?? emptyLeaf(owner)
  const changed = setIn(child, hash >>> BITS, depth + 1, key, value, owner)
  if (!own) return { owner, children: node.children.with(index, changed) }
  node.children[index] = changed
  return node
}

function deleteIn<K extends Key, V>(node: Node<K, V>, hash: number, key: K): Node<K, V> {
  if ('entries' in node) {
    const entries = new Map(node.entries)
    entries.delete(key)
    return { owner: null, entries }
  }
  const index = hash & (FANOUT - 1)
  const child = node.children[index]
  if (!child) return node
  return { owner: null, children: node.children.with(index, deleteIn(child, hash >>> BITS, key)) }
}

/** A full leaf at this depth becomes a branch of smaller ones. */
function branched<K extends Key, V>(entries: ReadonlyMap<K, V>, depth: number, owner: Owner): Branch<K, V> {
  const maps = Array.from({ length: FANOUT }, () => new Map<K, V>())
  for (const [key, value] of entries) maps[(hashOf(key) >>> (depth * BITS)) & (FANOUT - 1)]?.set(key, value)
  return { owner, children: maps.map((map) => (map.size === 0 ? null : { owner, entries: map })) }
}

/** 32 well-mixed bits: FNV-1a over the characters, or the number itself, then a finaliser. */
function hashOf(key: Key): number {
  let hash = 0x811c9dc5
  if (typeof key === 'number') hash = Math.imul(hash ^ key, 0x01000193)
  else
    for (let index = 0; index < key.length; index += 1)
      hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
