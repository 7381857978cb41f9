// CreateAcls, DeleteAcls and DescribeAcls as Kafka's controller decides them, with its errors and their texts.
// Owns what becomes of the set of ACLs; what the ACLs then allow is acl.ts.
import { Errors, errorMessage } from '../protocol/index.js'
import {
  type Acl,
  AclOperation,
  codeName,
  PatternType,
  PermissionType,
  ResourceType,
  WILDCARD,
} from './acl.js'
import type { MetadataImage } from './image.js'
import type { MetadataRecord } from './metadata-records.js'
import { metadataRecord } from './metadata-records.js'
import type { ApiError } from './topics.js'

/** Kafka's limit of records that one request may cause. */
export const MAX_ACLS_PER_REQUEST = 10_000

/** Filters may overlap; an answer tells every one of them its ACLs, of which there may be so many in all. */
const MAX_TOLD = 100_000
const TOO_LARGE = 'Unable to perform excessively large batch operation.'

/** What the text fields of an ACL may have in UTF-8: as much as older versions of these APIs can tell. */
const MAX_TEXT_BYTES = 32_767

/** The one name of the cluster resource. */
export const CLUSTER_NAME = 'kafka-cluster'

export interface CreateAclsRequest {
  readonly creations: readonly (Omit<Acl, 'patternType'> & { readonly resourcePatternType: number })[]
}

/** One for each ACL of the request, in its order. */
export interface CreateAclsResponse {
  readonly results: readonly ApiError[]
}

/** Null and the ANY codes match everything; pattern type MATCH finds every pattern that a named resource falls under. */
export interface AclFilter {
  readonly resourceTypeFilter: number
  readonly resourceNameFilter: string | null
  readonly patternTypeFilter: number
  readonly principalFilter: string | null
  readonly hostFilter: string | null
  readonly operation: number
  readonly permissionType: number
}

export interface DeleteAclsRequest {
  readonly filters: readonly AclFilter[]
}

/** One for each filter of the request, in its order. */
export interface DeleteAclsResponse {
  readonly filterResults: readonly (ApiError & { readonly matchingAcls: readonly (ApiError & Acl)[] })[]
}

const OK: ApiError = { errorCode: Errors.NONE, errorMessage: null }

/** @param freshIds an unused id for each ACL of the request */
export function decideCreateAcls(
  image: MetadataImage,
  { creations }: CreateAclsRequest,
  freshIds: readonly string[],
): { records: MetadataRecord[]; response: CreateAclsResponse } {
  if (creations.length > MAX_ACLS_PER_REQUEST) {
    return { records: [], response: aclCreationFailed({ creations }, Errors.POLICY_VIOLATION, TOO_LARGE) }
  }
  const names = new Set(creations.map(({ resourceName }) => resourceName))
  const alike = [...image.acls.values()].filter(({ resourceName }) => names.has(resourceName))
  const known = new Set(alike.map(identity))
  const records: MetadataRecord[] = []
  const results = creations.map(({ resourcePatternType, ...rest }, index) => {
    const acl: Acl = { ...rest, patternType: resourcePatternType }
    const error = creationError(acl)
    if (error !== null) return invalid(error)
    // What is there already is not added twice, and that is no error.
    if (known.has(identity(acl))) return OK
    known.add(identity(acl))
    records.push(metadataRecord('AccessControlEntryRecord', { id: freshIds[index] ?? '', ...acl }))
    return OK
  })
  return { records, response: { results } }
}

function identity(acl: Acl): string {
  const { resourceType, resourceName, patternType, principal, host, operation, permissionType } = acl
  return JSON.stringify([resourceType, resourceName, patternType, principal, host, operation, permissionType])
}

/** Why an ACL cannot be; null when it can. */
function creationError(acl: Acl): string | null {
  const { resourceType, resourceName, patternType, principal, host, operation, permissionType } = acl
  if (resourceType === ResourceType.CLUSTER && resourceName !== CLUSTER_NAME) {
    return `The only valid name for the CLUSTER resource is ${CLUSTER_NAME}`
  }
  if (resourceName === '') return 'Invalid empty resource name'
  if (resourceType <= ResourceType.ANY || resourceType > ResourceType.USER) {
    return `Invalid resourceType ${codeName(ResourceType, resourceType)}`
  }
  if (patternType !== PatternType.LITERAL && patternType !== PatternType.PREFIXED) {
    return `Invalid patternType ${codeName(PatternType, patternType)}`
  }
  if (operation <= AclOperation.ANY || operation > AclOperation.TWO_PHASE_COMMIT) {
    return `Invalid operation ${codeName(AclOperation, operation)}`
  }
  if (permissionType !== PermissionType.DENY && permissionType !== PermissionType.ALLOW) {
    return `Invalid permissionType ${codeName(PermissionType, permissionType)}`
  }
  const texts = { 'resource name': resourceName, principal, host }
  for (const [what, text] of Object.entries(texts)) {
    const length = Buffer.byteLength(text)
    if (length > MAX_TEXT_BYTES) return `The ${what} has ${length} bytes, more than ${MAX_TEXT_BYTES}`
  }
  return principal.includes(':')
    ? null
    : `Could not parse principal from \`${principal}\` (no colon is present separating the principal type from the principal name)`
}

export function decideDeleteAcls(
  image: MetadataImage,
  { filters }: DeleteAclsRequest,
): { records: MetadataRecord[]; response: DeleteAclsResponse } {
  const removed = new Set<string>()
  const refuseAll = (errorCode: number, message: string) => ({
    records: [],
    response: aclDeletionFailed({ filters }, errorCode, message),
  })
  if (filters.length > MAX_ACLS_PER_REQUEST) return refuseAll(Errors.POLICY_VIOLATION, TOO_LARGE)
  let told = 0
  const filterResults = filters.map((filter) => {
    const error = filterError(filter)
    if (error !== null) return { ...invalid(error), matchingAcls: [] }
    const matching = told > MAX_TOLD ? [] : [...image.acls].filter(([, acl]) => matches(filter, acl))
    told += matching.length
    for (const [id] of matching) removed.add(id)
    return { ...OK, matchingAcls: matching.map(([, acl]) => ({ ...OK, ...acl })) }
  })
  if (removed.size > MAX_ACLS_PER_REQUEST) {
    const message = `Cannot remove more than ${MAX_ACLS_PER_REQUEST} acls in a single delete operation.`
    return refuseAll(Errors.INVALID_REQUEST, message)
  }
  if (told > MAX_TOLD) return refuseAll(Errors.POLICY_VIOLATION, TOO_LARGE)
  const records = [...removed].map((id) => metadataRecord('RemoveAccessControlEntryRecord', { id }))
  return { records, response: { filterResults } }
}

/** Why a filter means nothing; null when it does. */
export function filterError(filter: AclFilter): string | null {
  const { resourceTypeFilter, patternTypeFilter, operation, permissionType } = filter
  const known = (code: number, table: Readonly<Record<string, number>>) =>
    code > 0 && Object.values(table).includes(code)
  if (!known(resourceTypeFilter, ResourceType) || !known(patternTypeFilter, PatternType)) {
    return 'Unknown patternFilter.'
  }
  return known(operation, AclOperation) && known(permissionType, PermissionType)
    ? null
    : 'Unknown entryFilter.'
}

/** The ACLs that a filter finds, those of one pattern side by side. */
export function describeAcls(image: MetadataImage, filter: AclFilter): { pattern: Acl; acls: Acl[] }[] {
  const patterns = new Map<string, { pattern: Acl; acls: Acl[] }>()
  for (const acl of image.acls.values()) {
    if (!matches(filter, acl)) continue
    const key = `${acl.resourceType}:${acl.patternType}:${acl.resourceName}`
    const same = patterns.get(key)
    if (same === undefined) patterns.set(key, { pattern: acl, acls: [acl] })
    else same.acls.push(acl)
  }
  return [...patterns.values()]
}

function matches(filter: AclFilter, acl: Acl): boolean {
  const { resourceTypeFilter, principalFilter, hostFilter, operation, permissionType } = filter
  return (
    (resourceTypeFilter === ResourceType.ANY || resourceTypeFilter === acl.resourceType) &&
    matchesPattern(filter, acl) &&
    (principalFilter === null || principalFilter === acl.principal) &&
    (hostFilter === null || hostFilter === acl.host) &&
    (operation === AclOperation.ANY || operation === acl.operation) &&
    (permissionType === PermissionType.ANY || permissionType === acl.permissionType)
  )
}

function matchesPattern(
  { resourceNameFilter: name, patternTypeFilter }: AclFilter,
  { resourceName, patternType }: Acl,
): boolean {
  const isAnyType = patternTypeFilter === PatternType.ANY || patternTypeFilter === PatternType.MATCH
  if (!isAnyType && patternTypeFilter !== patternType) return false
  if (name === null || name === resourceName) return true
  if (patternTypeFilter !== PatternType.MATCH) return false
  return patternType === PatternType.PREFIXED ? name.startsWith(resourceName) : resourceName === WILDCARD
}

function invalid(message: string): ApiError {
  return { errorCode: Errors.INVALID_REQUEST, errorMessage: message }
}

/** The same error for every ACL of the request. */
export function aclCreationFailed(
  { creations }: CreateAclsRequest,
  errorCode: number,
  message: string | null = errorMessage(errorCode),
): CreateAclsResponse {
  return { results: creations.map(() => ({ errorCode, errorMessage: message })) }
}

/** The same error for every filter of the request. */
export function aclDeletionFailed(
  { filters }: DeleteAclsRequest,
  errorCode: number,
  message: string | null = errorMessage(errorCode),
): DeleteAclsResponse {
  return { filterResults: filters.map(() => ({ errorCode, errorMessage: message, matchingAcls: [] })) }
}
