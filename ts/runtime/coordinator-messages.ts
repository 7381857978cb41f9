/** What the control plane and its coordinator workers tell each other; requests about one group go past both. */
import type { AskedOfGroup } from '../api/broker-view.js'
import type { Setting } from '../config/sources.js'
import type { GroupReply, ListGroupsRequest, ListGroupsResponse } from '../state/group-messages.js'
import type { Logger } from './host.js'

/** What a worker is started with. */
export interface WorkerStart {
  /** By which it finds its node. */
  readonly node: number
  /** Its number, from 0, and how many there are. */
  readonly worker: number
  readonly workers: number
  readonly settings: readonly Setting[]
}

/** Records of an image, encoded. */
export interface ImageMessage {
  readonly kind: 'image'
  /** True: all records that there are; false: those since the last message. */
  readonly whole: boolean
  readonly offset: number
  readonly epoch: number
  readonly records: readonly Uint8Array[]
}

export type ToWorker =
  | ImageMessage
  | { readonly kind: 'submit'; readonly token: number; readonly asked: AskedOfGroup }
  | {
      readonly kind: 'list'
      readonly token: number
      readonly body: ListGroupsRequest
      readonly apiVersion: number
    }
  | { readonly kind: 'when-settled'; readonly token: number; readonly groupId: string }
  | { readonly kind: 'close' }

export type Answered = GroupReply | ListGroupsResponse | null

export type FromWorker =
  | { readonly kind: 'answer'; readonly token: number; readonly reply: Answered }
  | {
      readonly kind: 'log'
      readonly level: keyof Logger
      readonly fields: object
      readonly message: string
    }
  /** Everything has been answered and submitted. */
  | { readonly kind: 'closed' }
