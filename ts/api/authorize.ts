/**
 * The question that every handler asks before it reads or changes anything, in Kafka's operations and resources, and who
 * answers it: nobody, or Kafka's StandardAuthorizer over the ACLs of the image. It names in the audit log what it refused.
 */
import type { BrokerConfig } from '../config/broker-config.js'
import { AclOperation, AclRules, codeName, ResourceType, type Verdict } from '../state/acl.js'
import { CLUSTER_NAME } from '../state/acl-admin.js'
import type { MetadataImage } from '../state/image.js'
import type { Call } from './handler.js'
import { hostAddress } from './inet-address.js'

export { CLUSTER_NAME }

export type Operation = Exclude<keyof typeof AclOperation, 'UNKNOWN' | 'ANY' | 'ALL'>
export type Resource = Exclude<keyof typeof ResourceType, 'UNKNOWN' | 'ANY'>

/** Who asks, from where, and with which request. */
export type Asker = Pick<Call, 'principal' | 'peer' | 'apiName'>

/**
 * What the audit log hears of a question: every answer; no refusal, where another permission or a shorter list may do;
 * nothing, where the answer is only shown.
 */
export type Audit = 'all' | 'granted' | 'nothing'

export interface Authorizer {
  /** False where none is configured: then everybody may do everything, and there are no ACLs. */
  readonly isConfigured: boolean
  allows(asker: Asker, operation: Operation, type: Resource, name: string, audit?: Audit): boolean
  /** Whether there may be any resource of the type on which this is allowed (KIP-679). */
  allowsAny(asker: Asker, operation: Operation, type: Resource): boolean
  /** The data plane refused this, in Kafka's numbers, and `untold` others before. */
  auditRefusal(asker: Asker, operation: number, type: number, name: string, untold: number): void
}

/** Kafka's behaviour without an authorizer. */
export const allowEveryone: Authorizer = {
  isConfigured: false,
  allows: () => true,
  allowsAny: () => true,
  auditRefusal() {},
}

/** Where the audit log goes; Kafka's `kafka.authorizer.logger`. */
export interface AuditLog {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
}

/** What `authorizer.class.name` names. */
export function authorizerOf(config: BrokerConfig, image: () => MetadataImage, log: AuditLog): Authorizer {
  return config.get('authorizer.class.name') === ''
    ? allowEveryone
    : new StandardAuthorizer(config, image, log)
}

class StandardAuthorizer implements Authorizer {
  readonly isConfigured = true
  private readonly superUsers: ReadonlySet<string>
  private readonly allowIfNoAcl: boolean
  private arranged: { acls: MetadataImage['acls']; rules: AclRules } | null = null
  private lastHost = { peer: '', host: '' }

  constructor(
    config: BrokerConfig,
    private readonly image: () => MetadataImage,
    private readonly log: AuditLog,
  ) {
    this.superUsers = new Set(config.get('super.users'))
    this.allowIfNoAcl = config.get('allow.everyone.if.no.acl.found')
  }

  allows(asker: Asker, operation: Operation, type: Resource, name: string, audit: Audit = 'all'): boolean {
    const subject = { principal: asker.principal, host: this.hostOf(asker.peer) }
    const verdict = this.rules().decide(subject, AclOperation[operation], ResourceType[type], name)
    if (audit === 'all' || (audit === 'granted' && verdict.allowed)) {
      const resource = `${type}:LITERAL:${name}`
      auditVerdict(this.log, { ...subject, operation, resource, request: asker.apiName }, verdict)
    }
    return verdict.allowed
  }

  allowsAny({ principal, peer }: Asker, operation: Operation, type: Resource): boolean {
    const subject = { principal, host: this.hostOf(peer) }
    return this.rules().decideAny(subject, AclOperation[operation], ResourceType[type])
  }

  auditRefusal(asker: Asker, operation: number, type: number, name: string, untold: number): void {
    const subject = { principal: asker.principal, host: this.hostOf(asker.peer) }
    const verdict = this.rules().decide(subject, operation, type, name)
    const asked = {
      ...subject,
      operation: codeName(AclOperation, operation),
      resource: `${codeName(ResourceType, type)}:LITERAL:${name}`,
      request: asker.apiName,
      ...(untold > 0 ? { untold } : {}),
    }
    // The ACLs may have changed since: the refusal stands, its rule is gone.
    auditVerdict(this.log, asked, verdict.allowed ? { allowed: false, rule: 'DefaultDeny' } : verdict)
  }

  /** ACLs change rarely: they are arranged when they are first asked about. */
  private rules(): AclRules {
    const { acls } = this.image()
    if (this.arranged?.acls !== acls) {
      const { superUsers, allowIfNoAcl } = this
      this.arranged = { acls, rules: new AclRules(acls.values(), { superUsers, allowIfNoAcl }) }
    }
    return this.arranged.rules
  }

  /** One request asks many times. */
  private hostOf(peer: string): string {
    if (this.lastHost.peer !== peer) this.lastHost = { peer, host: hostAddress(peer) }
    return this.lastHost.host
  }
}

interface Audited {
  readonly principal: string
  readonly host: string
  readonly operation: string
  /** `TOPIC:LITERAL:orders` */
  readonly resource: string
  readonly request: string
}

function auditVerdict(log: AuditLog, { principal, ...rest }: Audited, { allowed, rule }: Verdict): void {
  if (allowed) log.debug({ principal, ...rest, rule }, `${principal} is allowed`)
  else log.info({ principal, ...rest, rule }, `${principal} is denied`)
}

/** The operations of the authorized-operations fields (KIP-430) of one resource type. */
const operationsOf: Readonly<Record<'TOPIC' | 'GROUP' | 'CLUSTER', readonly Operation[]>> = {
  TOPIC: ['READ', 'WRITE', 'CREATE', 'DESCRIBE', 'DELETE', 'ALTER', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  GROUP: ['READ', 'DESCRIBE', 'DELETE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  CLUSTER: [
    'CREATE',
    'CLUSTER_ACTION',
    'DESCRIBE_CONFIGS',
    'ALTER_CONFIGS',
    'IDEMPOTENT_WRITE',
    'ALTER',
    'DESCRIBE',
  ],
}

/** A bit for the number of each operation that is allowed. */
export function authorizedOperations(
  authorizer: Authorizer,
  asker: Asker,
  type: 'TOPIC' | 'GROUP' | 'CLUSTER',
  name: string,
): number {
  return operationsOf[type]
    .filter((operation) => authorizer.allows(asker, operation, type, name, 'nothing'))
    .reduce((bits, operation) => bits | (1 << AclOperation[operation]), 0)
}

/** Those on the cluster: none at all for who may not describe it. */
export function clusterOperations(authorizer: Authorizer, asker: Asker): number {
  return authorizer.allows(asker, 'DESCRIBE', 'CLUSTER', CLUSTER_NAME)
    ? authorizedOperations(authorizer, asker, 'CLUSTER', CLUSTER_NAME)
    : 0
}
