// ACLs as Kafka numbers them, and what they allow: the decision of its StandardAuthorizer, as a pure function.
// Owns the decision alone, twin of the data plane's (engine/node/authorizer_rules.rs); creating and removing is acl-admin.ts.

/** org.apache.kafka.common.resource.ResourceType */
export const ResourceType = {
  UNKNOWN: 0,
  ANY: 1,
  TOPIC: 2,
  GROUP: 3,
  CLUSTER: 4,
  TRANSACTIONAL_ID: 5,
  DELEGATION_TOKEN: 6,
  USER: 7,
} as const

/** org.apache.kafka.common.resource.PatternType */
export const PatternType = { UNKNOWN: 0, ANY: 1, MATCH: 2, LITERAL: 3, PREFIXED: 4 } as const

/** org.apache.kafka.common.acl.AclOperation */
export const AclOperation = {
  UNKNOWN: 0,
  ANY: 1,
  ALL: 2,
  READ: 3,
  WRITE: 4,
  CREATE: 5,
  DELETE: 6,
  ALTER: 7,
  DESCRIBE: 8,
  CLUSTER_ACTION: 9,
  DESCRIBE_CONFIGS: 10,
  ALTER_CONFIGS: 11,
  IDEMPOTENT_WRITE: 12,
  CREATE_TOKENS: 13,
  DESCRIBE_TOKENS: 14,
  TWO_PHASE_COMMIT: 15,
} as const

/** org.apache.kafka.common.acl.AclPermissionType */
export const PermissionType = { UNKNOWN: 0, ANY: 1, DENY: 2, ALLOW: 3 } as const

/** Kafka's name of a number of one of these enums. */
export function codeName(codes: Readonly<Record<string, number>>, code: number): string {
  return Object.keys(codes).find((name) => codes[name] === code) ?? 'UNKNOWN'
}

/** Every resource of a type, every host. */
export const WILDCARD = '*'
const EVERYBODY = 'User:*'

/** One ACL: a permission of a principal on a resource pattern. All codes are Kafka's numbers. */
export interface Acl {
  readonly resourceType: number
  readonly resourceName: string
  /** LITERAL or PREFIXED. */
  readonly patternType: number
  /** `User:alice`; `User:*` for everybody. */
  readonly principal: string
  /** An address as Java prints it, `127.0.0.1` or `0:0:0:0:0:0:0:1`; `*` for any. */
  readonly host: string
  readonly operation: number
  /** DENY or ALLOW. */
  readonly permissionType: number
}

/** What a broker is configured with besides its ACLs. */
export interface AclPolicy {
  /** `super.users`: principals who may do everything. */
  readonly superUsers: ReadonlySet<string>
  /** `allow.everyone.if.no.acl.found`: a resource that no ACL is about is open to everybody. */
  readonly allowIfNoAcl: boolean
}

/** Who asks. */
export interface Subject {
  readonly principal: string
  readonly host: string
}

/** The answer and the rule that made it, for the audit log. */
export interface Verdict {
  readonly allowed: boolean
  readonly rule: Acl | 'SuperUser' | 'DefaultAllow' | 'DefaultDeny'
}

const SUPER_USER: Verdict = { allowed: true, rule: 'SuperUser' }
const DEFAULT_ALLOW: Verdict = { allowed: true, rule: 'DefaultAllow' }
const DEFAULT_DENY: Verdict = { allowed: false, rule: 'DefaultDeny' }

/** The ACLs of one resource type, found by pattern. */
class TypeRules {
  readonly literal = new Map<string, Acl[]>()
  readonly prefixed = new Map<string, Acl[]>()
  /** Distinct lengths of the prefixes, in UTF-16 units. */
  readonly lengths = new Set<number>()

  add(acl: Acl): void {
    const isPrefix = acl.patternType === PatternType.PREFIXED
    const patterns = isPrefix ? this.prefixed : this.literal
    const same = patterns.get(acl.resourceName)
    if (same === undefined) patterns.set(acl.resourceName, [acl])
    else same.push(acl)
    if (isPrefix) this.lengths.add(acl.resourceName.length)
  }

  /** Every ACL about a resource. */
  *about(name: string): Iterable<Acl> {
    yield* this.literal.get(name) ?? []
    if (name !== WILDCARD) yield* this.literal.get(WILDCARD) ?? []
    for (const length of this.lengths) {
      if (length <= name.length) yield* this.prefixed.get(name.slice(0, length)) ?? []
    }
  }

  *all(): Iterable<Acl> {
    for (const acls of this.literal.values()) yield* acls
    for (const acls of this.prefixed.values()) yield* acls
  }
}

const NO_RULES = new TypeRules()

/** A set of ACLs, arranged for the decision. It does not change. */
export class AclRules {
  readonly #types = new Map<number, TypeRules>()

  constructor(
    acls: Iterable<Acl>,
    private readonly policy: AclPolicy,
  ) {
    for (const acl of acls) {
      const rules = this.#types.get(acl.resourceType) ?? new TypeRules()
      this.#types.set(acl.resourceType, rules)
      rules.add(acl)
    }
  }

  /**
   * Whether the subject may do this to the named resource: a DENY that matches goes before any ALLOW; a resource with
   * ACLs of which none matches is closed, one without any is as `allow.everyone.if.no.acl.found` says.
   */
  decide(subject: Subject, operation: number, resourceType: number, name: string): Verdict {
    if (this.policy.superUsers.has(subject.principal)) return SUPER_USER
    let allowing: Acl | null = null
    let isCovered = false
    for (const acl of this.#of(resourceType).about(name)) {
      isCovered = true
      if (!concerns(acl, subject) || !covers(acl, operation)) continue
      if (acl.permissionType !== PermissionType.ALLOW) return { allowed: false, rule: acl }
      allowing = acl
    }
    if (allowing !== null) return { allowed: true, rule: allowing }
    return !isCovered && this.policy.allowIfNoAcl ? DEFAULT_ALLOW : DEFAULT_DENY
  }

  /**
   * Whether there may be any resource of the type on which the subject may do this, as IDEMPOTENT_WRITE asks of topics
   * (KIP-679): an ALLOW that no DENY takes back whole. Nothing is implied here: the operation is meant as it is.
   */
  decideAny(subject: Subject, operation: number, resourceType: number): boolean {
    // Kafka asks about this name to see whether everybody may, or a super user asks.
    if (this.decide(subject, operation, resourceType, 'hardcode').allowed) return true
    const denied = { literal: new Set<string>(), prefixed: new Set<string>() }
    const allowed: Acl[] = []
    for (const acl of this.#of(resourceType).all()) {
      if (!concerns(acl, subject)) continue
      if (acl.operation !== operation && acl.operation !== AclOperation.ALL) continue
      const { resourceName: name, patternType, permissionType } = acl
      if (permissionType === PermissionType.ALLOW) allowed.push(acl)
      else if (patternType === PatternType.PREFIXED) denied.prefixed.add(name)
      else if (name === WILDCARD) return false
      else denied.literal.add(name)
    }
    return allowed.some(({ resourceName: name, patternType }) => {
      if (patternType === PatternType.LITERAL && (name === WILDCARD || denied.literal.has(name))) {
        return name === WILDCARD
      }
      for (let length = 1; length <= name.length; length += 1) {
        if (denied.prefixed.has(name.slice(0, length))) return false
      }
      return true
    })
  }

  #of(resourceType: number): TypeRules {
    return this.#types.get(resourceType) ?? NO_RULES
  }
}

function concerns(acl: Acl, { principal, host }: Subject): boolean {
  return (
    (acl.principal === principal || acl.principal === EVERYBODY) &&
    (acl.host === WILDCARD || acl.host === host)
  )
}

const implyDescribe: readonly number[] = [
  AclOperation.DESCRIBE,
  AclOperation.READ,
  AclOperation.WRITE,
  AclOperation.DELETE,
  AclOperation.ALTER,
]

/** Who is allowed to use a resource may also see it; who is denied its use may still see it. */
function covers(acl: Acl, operation: number): boolean {
  if (acl.operation === AclOperation.ALL || acl.operation === operation) return true
  if (acl.permissionType !== PermissionType.ALLOW) return false
  if (operation === AclOperation.DESCRIBE) return implyDescribe.includes(acl.operation)
  return operation === AclOperation.DESCRIBE_CONFIGS && acl.operation === AclOperation.ALTER_CONFIGS
}
