/**
 * Records of __cluster_metadata about who may do what, and how much of it: ACLs, quotas, SCRAM credentials, delegation
 * tokens. In Kafka's layout, all flexible; metadata-records.ts has the others and the list of all.
 */
import { array, bool, bytes, float64, int8, int32, int64, string, uuid } from '../notation.js'
import { metadataRecord } from '../table.js'

/** A delegation token as it stands. The secret is derived from the id, never stored. */
export const delegationTokenRecord = metadataRecord({
  key: 10,
  name: 'DelegationTokenRecord',
  versions: [0, 0],
  fields: {
    owner: string(),
    requester: string(),
    renewers: array(string()),
    issueTimestamp: int64(),
    maxTimestamp: int64(),
    expirationTimestamp: int64(),
    tokenId: string(),
  },
})

/** A user's SCRAM credential. Mechanism 1 is SCRAM-SHA-256, 2 SCRAM-SHA-512. */
export const userScramCredentialRecord = metadataRecord({
  key: 11,
  name: 'UserScramCredentialRecord',
  versions: [0, 0],
  fields: {
    name: string(),
    mechanism: int8(),
    salt: bytes(),
    storedKey: bytes(),
    serverKey: bytes(),
    iterations: int32(),
  },
})

/** One quota of an entity, set or removed; a null entity name means the default entity. */
export const clientQuotaRecord = metadataRecord({
  key: 14,
  name: 'ClientQuotaRecord',
  versions: [0, 0],
  fields: {
    entity: array({ entityType: string(), entityName: string({ nullable: true }) }),
    key: string(),
    value: float64(),
    remove: bool(),
  },
})

/** One ACL. Codes as in CreateAcls; the id is what removes it. */
export const accessControlEntryRecord = metadataRecord({
  key: 18,
  name: 'AccessControlEntryRecord',
  versions: [0, 0],
  fields: {
    id: uuid(),
    resourceType: int8(),
    resourceName: string(),
    patternType: int8(),
    principal: string(),
    host: string(),
    operation: int8(),
    permissionType: int8(),
  },
})

export const removeAccessControlEntryRecord = metadataRecord({
  key: 19,
  name: 'RemoveAccessControlEntryRecord',
  versions: [0, 0],
  fields: { id: uuid() },
})

export const removeUserScramCredentialRecord = metadataRecord({
  key: 22,
  name: 'RemoveUserScramCredentialRecord',
  versions: [0, 0],
  fields: { name: string(), mechanism: int8() },
})

export const removeDelegationTokenRecord = metadataRecord({
  key: 26,
  name: 'RemoveDelegationTokenRecord',
  versions: [0, 0],
  fields: { tokenId: string() },
})
