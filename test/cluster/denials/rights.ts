// The ACLs that change a denial, and the world that it is asked in.
// Peers of the loopback are different hosts: an administrator at 127.0.0.1, somebody without rights at 127.0.0.3.
import { createAcls, deleteAcls, Errors, findCoordinator, offsetCommit } from '../../../ts/protocol/index.js'
import { AclOperation, PatternType, PermissionType, ResourceType } from '../../../ts/state/acl.js'
import type { RawClient } from '../raw-client.js'
import { CLUSTER, commit, type Grant, type Ids, STRANGER } from './denial.js'

const ADMIN = '127.0.0.1'

/** No ACL there is. */
export const anyAcl = {
  resourceTypeFilter: ResourceType.ANY,
  resourceNameFilter: null,
  patternTypeFilter: PatternType.ANY,
  principalFilter: 'User:nobody',
  hostFilter: null,
  operation: AclOperation.ANY,
  permissionType: PermissionType.ANY,
}

/** The creation of an ACL that grants this. */
export function creation(grant: Grant, host: string) {
  const [operation, type, name = ''] = grant.split(' ') as [
    keyof typeof AclOperation,
    keyof typeof ResourceType,
    string,
  ]
  const isPrefix = name.length > 1 && name.endsWith('*')
  return {
    resourceType: ResourceType[type],
    resourceName: isPrefix ? name.slice(0, -1) : name,
    resourcePatternType: isPrefix ? PatternType.PREFIXED : PatternType.LITERAL,
    principal: 'User:ANONYMOUS',
    host,
    operation: AclOperation[operation],
    permissionType: PermissionType.ALLOW,
  }
}

/** A coordinator may still be on its way. */
async function untilDone(what: string, attempt: () => Promise<number | undefined>): Promise<void> {
  const passing: unknown[] = [
    Errors.COORDINATOR_NOT_AVAILABLE,
    Errors.COORDINATOR_LOAD_IN_PROGRESS,
    Errors.NOT_COORDINATOR,
  ]
  for (let code = await attempt(); code !== Errors.NONE; code = await attempt()) {
    if (!passing.includes(code)) throw new Error(`${what}: error ${code}`)
  }
}

/** Makes the topics, the group and the ACLs of the administrator; from then on everybody else has no right at all. */
export async function shutOutStrangers(admin: RawClient): Promise<Ids> {
  for (const name of ['t', 'gone']) await admin.createTopic(name)
  await untilDone('FindCoordinator', async () => {
    const { coordinators } = await admin.request(findCoordinator, 4, { coordinatorKeys: ['g'] })
    return coordinators[0]?.errorCode
  })
  for (const groupId of ['g', 'passing']) {
    await untilDone('OffsetCommit', async () => {
      const { topics } = await admin.request(offsetCommit, 8, { ...commit, groupId })
      return topics[0]?.partitions[0]?.errorCode
    })
  }
  const all: Grant[] = ['ALL TOPIC *', 'ALL GROUP *', `ALL CLUSTER ${CLUSTER}`, 'ALL TRANSACTIONAL_ID *']
  await grant(admin, all, ADMIN)
  return { t: await admin.topicId('t'), gone: await admin.topicId('gone') }
}

export async function grant(admin: RawClient, grants: readonly Grant[], host = STRANGER): Promise<void> {
  if (grants.length === 0) return
  const { results } = await admin.request(createAcls, 3, {
    creations: grants.map((one) => creation(one, host)),
  })
  const failed = results.find(({ errorCode }) => errorCode !== Errors.NONE)
  if (failed !== undefined) throw new Error(`CreateAcls: ${failed.errorMessage}`)
}

/** Takes every right of the stranger back. */
export async function revokeAll(admin: RawClient): Promise<void> {
  const filters = [{ ...anyAcl, principalFilter: null, hostFilter: STRANGER }]
  const { filterResults } = await admin.request(deleteAcls, 3, { filters })
  if (filterResults[0]?.errorCode !== Errors.NONE) throw new Error('DeleteAcls failed')
}
