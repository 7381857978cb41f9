// What a denial is, and what the tables of them share.
import { Errors } from '../../../ts/protocol/index.js'
import type { AclOperation, ResourceType } from '../../../ts/state/acl.js'
import type { RawClient } from '../raw-client.js'

export const STRANGER = '127.0.0.3'

/** A permission of the stranger: `READ TOPIC t`; with `*` behind the name it is a prefix. */
export type Grant = `${keyof typeof AclOperation} ${keyof typeof ResourceType} ${string}`

export interface Denial {
  readonly what: string
  readonly ask: (stranger: RawClient, ids: Ids) => Promise<unknown>
  /** The part of the answer that says no, and hides what is to be hidden. */
  readonly denied: (ids: Ids) => unknown
  /** Of a version that Kafka no longer serves: it closes the connection. */
  readonly isOld?: boolean
  /** What the stranger has all along. */
  readonly has?: readonly Grant[]
  /** With any one line of these the answer is another. */
  readonly needs: readonly (readonly Grant[])[]
}

/** Topic ids by name. */
export type Ids = Readonly<Record<'t' | 'gone', string>>

export const TOPIC_DENIED = Errors.TOPIC_AUTHORIZATION_FAILED
export const GROUP_DENIED = Errors.GROUP_AUTHORIZATION_FAILED
export const CLUSTER_DENIED = Errors.CLUSTER_AUTHORIZATION_FAILED
export const CLUSTER = 'kafka-cluster'

export const always = (denied: unknown) => () => denied
export const partition = (errorCode: number) => ({ partitions: [{ errorCode }] })
/** Of one offset, by nobody who is a member. */
export const commit = {
  groupId: 'g',
  generationIdOrMemberEpoch: -1,
  memberId: '',
  topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }] }],
}
