// The part of the metadata image that says who may do what and how much of it: ACLs, quotas, SCRAM credentials, tokens.
// Owns its shape and how records change it; checking a request against it is the authorizer's work.
import type { Acl } from './acl.js'
import type { MetadataMessage, MetadataRecord } from './metadata-records.js'
import { PersistentMap } from './persistent-map.js'

export type ScramCredentialImage = Readonly<MetadataMessage<'UserScramCredentialRecord'>>
export type DelegationTokenImage = Readonly<MetadataMessage<'DelegationTokenRecord'>>

export interface QuotaEntity {
  readonly entityType: string
  /** Null: the default entity of its type. */
  readonly entityName: string | null
}

export interface ClientQuotaImage {
  /** By type. */
  readonly entity: readonly QuotaEntity[]
  readonly quotas: ReadonlyMap<string, number>
}

export interface SecurityImage {
  /** By ACL id. */
  readonly acls: PersistentMap<string, Acl>
  /** By `quotaKey`. */
  readonly clientQuotas: PersistentMap<string, ClientQuotaImage>
  /** By `scramKey`. */
  readonly scramCredentials: PersistentMap<string, ScramCredentialImage>
  /** By token id. */
  readonly delegationTokens: PersistentMap<string, DelegationTokenImage>
}

/** Keys of entries that are new, different or gone. */
export interface SecurityDelta {
  readonly acls: ReadonlySet<string>
  readonly clientQuotas: ReadonlySet<string>
  readonly scramCredentials: ReadonlySet<string>
  readonly delegationTokens: ReadonlySet<string>
}

export const NO_SECURITY: SecurityImage = {
  acls: PersistentMap.empty(),
  clientQuotas: PersistentMap.empty(),
  scramCredentials: PersistentMap.empty(),
  delegationTokens: PersistentMap.empty(),
}

/** The same for an entity in any order of its types. */
export function quotaKey(entity: readonly QuotaEntity[]): string {
  return JSON.stringify(byType(entity).map(({ entityType, entityName }) => [entityType, entityName]))
}

export function scramKey(mechanism: number, user: string): string {
  return `${mechanism}:${user}`
}

function byType(entity: readonly QuotaEntity[]): QuotaEntity[] {
  return [...entity].sort((a, b) => (a.entityType < b.entityType ? -1 : a.entityType > b.entityType ? 1 : 0))
}

/** One map of the image while records change it, and the keys that they changed. */
class TrackedMap<V> {
  readonly changed = new Set<string>()

  constructor(public map: PersistentMap<string, V>) {}

  set(key: string, value: V): void {
    this.map = this.map.set(key, value)
    this.changed.add(key)
  }

  delete(key: string): void {
    this.map = this.map.delete(key)
    this.changed.add(key)
  }
}

export class SecurityFold {
  readonly #acls: TrackedMap<Acl>
  readonly #clientQuotas: TrackedMap<ClientQuotaImage>
  readonly #scramCredentials: TrackedMap<ScramCredentialImage>
  readonly #delegationTokens: TrackedMap<DelegationTokenImage>

  constructor(image: SecurityImage) {
    this.#acls = new TrackedMap(image.acls)
    this.#clientQuotas = new TrackedMap(image.clientQuotas)
    this.#scramCredentials = new TrackedMap(image.scramCredentials)
    this.#delegationTokens = new TrackedMap(image.delegationTokens)
  }

  /** Records of other kinds change nothing here. */
  apply({ name, message }: MetadataRecord): void {
    switch (name) {
      case 'AccessControlEntryRecord': {
        const { id, ...acl } = message
        this.#acls.set(id, acl)
        break
      }
      case 'RemoveAccessControlEntryRecord':
        if (!this.#acls.map.has(message.id)) {
          throw new Error(`RemoveAccessControlEntryRecord for ${message.id}, which does not exist`)
        }
        this.#acls.delete(message.id)
        break
      case 'ClientQuotaRecord':
        this.#quota(message)
        break
      case 'UserScramCredentialRecord':
        this.#scramCredentials.set(scramKey(message.mechanism, message.name), message)
        break
      case 'RemoveUserScramCredentialRecord':
        this.#scramCredentials.delete(scramKey(message.mechanism, message.name))
        break
      case 'DelegationTokenRecord':
        this.#delegationTokens.set(message.tokenId, message)
        break
      case 'RemoveDelegationTokenRecord':
        this.#delegationTokens.delete(message.tokenId)
        break
    }
  }

  image(): SecurityImage {
    return {
      acls: this.#acls.map,
      clientQuotas: this.#clientQuotas.map,
      scramCredentials: this.#scramCredentials.map,
      delegationTokens: this.#delegationTokens.map,
    }
  }

  delta(): SecurityDelta {
    return {
      acls: this.#acls.changed,
      clientQuotas: this.#clientQuotas.changed,
      scramCredentials: this.#scramCredentials.changed,
      delegationTokens: this.#delegationTokens.changed,
    }
  }

  #quota({ entity, key: quota, value, remove }: MetadataMessage<'ClientQuotaRecord'>): void {
    const key = quotaKey(entity)
    const quotas = new Map(this.#clientQuotas.map.get(key)?.quotas)
    if (remove) quotas.delete(quota)
    else quotas.set(quota, value)
    if (quotas.size === 0) this.#clientQuotas.delete(key)
    else this.#clientQuotas.set(key, { entity: byType(entity), quotas })
  }
}
