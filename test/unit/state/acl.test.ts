// ACLs: what StandardAuthorizer answers, and what becomes of ACLs that are created, found and deleted.
import { describe, expect, it } from 'vitest'
import { Errors } from '../../../ts/protocol/index.js'
import {
  type Acl,
  AclOperation,
  type AclPolicy,
  AclRules,
  PatternType,
  PermissionType,
  ResourceType,
} from '../../../ts/state/acl.js'
import {
  type AclFilter,
  type CreateAclsResponse,
  type DeleteAclsResponse,
  describeAcls,
  MAX_ACLS_PER_REQUEST,
} from '../../../ts/state/acl-admin.js'
import { emptyImage } from '../../../ts/state/image.js'
import { applyRecords } from '../../../ts/state/image-delta.js'
import { TestController, uuid } from './metadata-fixture.js'

const { ALL, READ, WRITE, DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS, CREATE } = AclOperation
const { TOPIC, GROUP, CLUSTER } = ResourceType
const { DENY, ALLOW } = PermissionType

const acl = (extra: Partial<Acl> = {}): Acl => ({
  resourceType: TOPIC,
  resourceName: 'orders',
  patternType: PatternType.LITERAL,
  principal: 'User:alice',
  host: '*',
  operation: READ,
  permissionType: ALLOW,
  ...extra,
})
const prefixed = (resourceName: string, extra: Partial<Acl> = {}) =>
  acl({ resourceName, patternType: PatternType.PREFIXED, ...extra })

const CLOSED: AclPolicy = { superUsers: new Set(['User:admin']), allowIfNoAcl: false }
const OPEN: AclPolicy = { ...CLOSED, allowIfNoAcl: true }
const alice = { principal: 'User:alice', host: '10.0.0.1' }

const may = (acls: Acl[], operation: number, name = 'orders', subject = alice, policy = CLOSED) =>
  new AclRules(acls, policy).decide(subject, operation, TOPIC, name).allowed

describe('a decision', () => {
  it('is no without an ACL, unless everyone is allowed where none is found', () => {
    expect(may([], READ)).toBe(false)
    expect(may([], READ, 'orders', alice, OPEN)).toBe(true)
    expect(may([acl({ principal: 'User:bob' })], READ, 'orders', alice, OPEN)).toBe(false)
    expect(may([acl({ principal: 'User:bob' })], READ, 'other', alice, OPEN)).toBe(true)
  })

  it('is yes for a super user, whatever the ACLs say', () => {
    const admin = { principal: 'User:admin', host: '10.0.0.1' }
    expect(
      may([acl({ principal: 'User:*', operation: ALL, permissionType: DENY })], READ, 'orders', admin),
    ).toBe(true)
  })

  it('takes a literal name exactly, a prefix for all that begin with it, and * for every name', () => {
    expect(may([acl()], READ)).toBe(true)
    expect(may([acl()], READ, 'orders-eu')).toBe(false)
    expect(may([prefixed('ord')], READ, 'orders-eu')).toBe(true)
    expect(may([prefixed('ord')], READ, 'or')).toBe(false)
    expect(may([prefixed('orders')], READ)).toBe(true)
    expect(may([acl({ resourceName: '*' })], READ, 'anything')).toBe(true)
    expect(may([prefixed('*')], READ, 'anything')).toBe(false)
    expect(may([acl({ resourceType: GROUP })], READ)).toBe(false)
  })

  it('lets a deny win over every allow, wherever it stands', () => {
    for (const deny of [acl(), prefixed('o'), acl({ resourceName: '*' })]) {
      const denied = { ...deny, permissionType: DENY }
      expect(may([acl(), prefixed('ord'), acl({ resourceName: '*' }), denied], READ)).toBe(false)
      expect(may([denied, acl({ operation: WRITE })], WRITE)).toBe(true)
    }
  })

  it('asks for the principal and the host', () => {
    expect(may([acl({ principal: 'User:*' })], READ)).toBe(true)
    expect(may([acl({ principal: 'Group:alice' })], READ)).toBe(false)
    expect(may([acl({ host: '10.0.0.1' })], READ)).toBe(true)
    expect(may([acl({ host: '10.0.0.2' })], READ)).toBe(false)
    expect(may([acl(), acl({ host: '10.0.0.2', permissionType: DENY })], READ)).toBe(true)
  })

  it('lets those who may use a topic see it, and those who may alter configs read them', () => {
    for (const operation of [READ, WRITE, DELETE, ALTER, ALL])
      expect(may([acl({ operation })], DESCRIBE)).toBe(true)
    for (const operation of [CREATE, DESCRIBE_CONFIGS, ALTER_CONFIGS]) {
      expect(may([acl({ operation })], DESCRIBE)).toBe(false)
    }
    expect(may([acl({ operation: ALTER_CONFIGS })], DESCRIBE_CONFIGS)).toBe(true)
    expect(may([acl({ operation: DESCRIBE })], READ)).toBe(false)
  })

  it('does not hide from those whose use is denied', () => {
    const acls = [acl({ operation: DESCRIBE }), acl({ permissionType: DENY })]
    expect([may(acls, DESCRIBE), may(acls, READ)]).toEqual([true, false])
  })

  it('names the rule that made it', () => {
    const denied = acl({ permissionType: DENY })
    const rule = (acls: Acl[], policy = CLOSED) =>
      new AclRules(acls, policy).decide(alice, READ, TOPIC, 'orders').rule
    expect(rule([acl(), denied])).toEqual(denied)
    expect(rule([])).toBe('DefaultDeny')
    expect(rule([], OPEN)).toBe('DefaultAllow')
  })
})

describe('a decision about any resource of a type', () => {
  const any = (acls: Acl[], policy = CLOSED) => new AclRules(acls, policy).decideAny(alice, WRITE, TOPIC)
  const write = { operation: WRITE }

  it('is yes for an allow that no deny takes back whole', () => {
    expect(any([])).toBe(false)
    expect(any([], OPEN)).toBe(true)
    expect(any([acl(write)])).toBe(true)
    expect(any([acl({ operation: ALL })])).toBe(true)
    expect(any([acl({ operation: READ })])).toBe(false)
    expect(any([prefixed('o', write), prefixed('ord', { ...write, permissionType: DENY })])).toBe(true)
    expect(
      any([acl({ ...write, resourceName: '*' }), prefixed('o', { ...write, permissionType: DENY })]),
    ).toBe(true)
  })

  it('is no where a deny is as wide as the allow', () => {
    const deny = { ...write, permissionType: DENY }
    expect(any([acl(write), acl(deny)])).toBe(false)
    expect(any([acl(write), prefixed('or', deny)])).toBe(false)
    expect(any([prefixed('ord', write), prefixed('or', deny)])).toBe(false)
    expect(any([acl({ ...write, resourceName: '*' }), acl({ ...deny, resourceName: '*' })])).toBe(false)
    expect(any([prefixed('ord', write), acl({ ...deny, resourceName: 'ord' })])).toBe(true)
  })
})

const creation = ({ patternType, ...rest }: Acl) => ({ ...rest, resourcePatternType: patternType })
const ANYTHING: AclFilter = {
  resourceTypeFilter: ResourceType.ANY,
  resourceNameFilter: null,
  patternTypeFilter: PatternType.ANY,
  principalFilter: null,
  hostFilter: null,
  operation: AclOperation.ANY,
  permissionType: PermissionType.ANY,
}

const create = (controller: TestController, acls: Acl[]) => {
  const freshIds = acls.map((_, index) => uuid(10_000 * (controller.log.length + 1) + index))
  const body = { creations: acls.map(creation) }
  const { records, reply } = controller.ask({ kind: 'create-acls', to: 1, body, freshIds })
  return { records, results: (reply as CreateAclsResponse).results }
}
const remove = (controller: TestController, ...filters: Partial<AclFilter>[]) => {
  const body = { filters: filters.map((filter) => ({ ...ANYTHING, ...filter })) }
  const { records, reply } = controller.ask({ kind: 'delete-acls', to: 1, body })
  return { records, results: (reply as DeleteAclsResponse).filterResults }
}
const OK = { errorCode: Errors.NONE, errorMessage: null }

describe('CreateAcls', () => {
  it('adds what is not there yet, each once', () => {
    const controller = new TestController()
    const { records, results } = create(controller, [acl(), acl(), acl({ operation: WRITE })])
    expect([records.length, results]).toEqual([2, [OK, OK, OK]])
    expect(create(controller, [acl()]).records).toEqual([])
    expect(controller.image.acls.size).toBe(2)
  })

  it('refuses each impossible ACL on its own and says why', () => {
    const wrong: [Partial<Acl>, string][] = [
      [{ resourceName: '' }, 'Invalid empty resource name'],
      [{ resourceType: CLUSTER }, 'The only valid name for the CLUSTER resource is kafka-cluster'],
      [{ resourceType: ResourceType.ANY }, 'Invalid resourceType ANY'],
      [{ resourceType: 99 }, 'Invalid resourceType UNKNOWN'],
      [{ patternType: PatternType.MATCH }, 'Invalid patternType MATCH'],
      [{ patternType: PatternType.ANY }, 'Invalid patternType ANY'],
      [{ operation: AclOperation.ANY }, 'Invalid operation ANY'],
      [{ operation: -1 }, 'Invalid operation UNKNOWN'],
      [{ permissionType: PermissionType.ANY }, 'Invalid permissionType ANY'],
      [{ principal: 'alice' }, 'Could not parse principal from `alice`'],
      [{ resourceName: 'é'.repeat(16_384) }, 'The resource name has 32768 bytes, more than 32767'],
      [{ principal: `User:${'x'.repeat(40_000)}` }, 'The principal has 40005 bytes'],
      [{ host: 'h'.repeat(32_768) }, 'The host has 32768 bytes'],
    ]
    const { records, results } = create(new TestController(), [...wrong.map(([extra]) => acl(extra)), acl()])
    expect(records.length).toBe(1)
    for (const [index, [, message]] of wrong.entries()) {
      expect(results[index]?.errorCode).toBe(Errors.INVALID_REQUEST)
      expect(results[index]?.errorMessage).toContain(message)
    }
    expect(results.at(-1)).toEqual(OK)
  })

  it('refuses more than a request may hold, whole', () => {
    const acls = Array.from({ length: MAX_ACLS_PER_REQUEST + 1 }, () => acl())
    const { records, results } = create(new TestController(), acls)
    expect(records).toEqual([])
    expect(results.every(({ errorCode }) => errorCode === Errors.POLICY_VIOLATION)).toBe(true)
  })
})

describe('filters', () => {
  const held = [
    acl(),
    prefixed('ord'),
    acl({ resourceName: '*' }),
    acl({ resourceType: GROUP, operation: WRITE }),
  ]
  const controller = new TestController()
  create(controller, held)
  const names = (filter: Partial<AclFilter>) =>
    describeAcls(controller.image, { ...ANYTHING, ...filter })
      .flatMap(({ acls }) => acls.map((one) => `${one.resourceType} ${one.resourceName} ${one.patternType}`))
      .sort()

  it('match by type, name, pattern, principal, host, operation and permission', () => {
    expect(names({}).length).toBe(4)
    expect(names({ resourceTypeFilter: GROUP })).toEqual(['3 orders 3'])
    expect(names({ resourceNameFilter: 'orders' })).toEqual(['2 orders 3', '3 orders 3'])
    expect(names({ patternTypeFilter: PatternType.PREFIXED })).toEqual(['2 ord 4'])
    expect(names({ operation: WRITE })).toEqual(['3 orders 3'])
    expect(names({ principalFilter: 'User:bob' })).toEqual([])
    expect(names({ hostFilter: '10.0.0.1' })).toEqual([])
    expect(names({ permissionType: DENY })).toEqual([])
  })

  it('of pattern type MATCH find all that a name falls under', () => {
    const match = { resourceTypeFilter: TOPIC, patternTypeFilter: PatternType.MATCH }
    expect(names({ ...match, resourceNameFilter: 'orders' })).toEqual(['2 * 3', '2 ord 4', '2 orders 3'])
    expect(names({ ...match, resourceNameFilter: 'order' })).toEqual(['2 * 3', '2 ord 4'])
  })
})

describe('DeleteAcls', () => {
  it('refuses filters that would tell the same ACLs over and over, whole', () => {
    const controller = new TestController()
    create(
      controller,
      Array.from({ length: 200 }, (_, index) => acl({ resourceName: `t${index}` })),
    )
    for (const count of [600, MAX_ACLS_PER_REQUEST + 1]) {
      const { records, results } = remove(controller, ...Array.from({ length: count }, () => ({})))
      expect([records, results.length]).toEqual([[], count])
      expect(results.every(({ errorCode }) => errorCode === Errors.POLICY_VIOLATION)).toBe(true)
    }
    expect(controller.image.acls.size).toBe(200)
  })

  it('removes what any filter finds, tells each filter all of its own, and removes nothing twice', () => {
    const controller = new TestController()
    create(controller, [acl(), prefixed('ord'), acl({ operation: WRITE })])
    const { records, results } = remove(
      controller,
      { operation: READ },
      { patternTypeFilter: PatternType.PREFIXED },
      { operation: 77 },
    )
    expect(records.length).toBe(2)
    expect(results.map(({ matchingAcls }) => matchingAcls.length)).toEqual([2, 1, 0])
    expect(results.map(({ errorCode }) => errorCode)).toEqual([
      Errors.NONE,
      Errors.NONE,
      Errors.INVALID_REQUEST,
    ])
    expect([...controller.image.acls.values()]).toEqual([acl({ operation: WRITE })])
  })

  it('leaves an image that the log makes again, and a delta that names what came and went', () => {
    const controller = new TestController()
    create(controller, [acl(), prefixed('ord')])
    remove(controller, { patternTypeFilter: PatternType.PREFIXED })
    const { image, delta } = applyRecords(emptyImage(), controller.log.length - 1, 0, controller.log)
    expect([...image.acls]).toEqual([...controller.image.acls])
    expect(delta.acls.size).toBe(2)
  })
})
