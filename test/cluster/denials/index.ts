// What every API answers to who is not allowed, and the ACLs that change it: one table for this broker and for Kafka's.
import { administrationDenials } from './administration.js'
import type { Denial } from './denial.js'
import { groupDenials } from './groups.js'
import { recordDenials } from './records.js'

export { type Denial, STRANGER } from './denial.js'
export { grant, revokeAll, shutOutStrangers } from './rights.js'

export const denials: readonly Denial[] = [...recordDenials, ...groupDenials, ...administrationDenials]
