/**
 * Where this node's group coordinators run, as the control plane sees it: in its own isolate, as the simulator has
 * them, or spread over worker threads. What they do is the same.
 */
import type { GroupsView } from '../api/broker-view.js'
import type { EventNamed } from '../native/events.js'
import type { MetadataImage } from '../state/image.js'
import type { MetadataDelta } from '../state/image-delta.js'
import type { MetadataRecord } from '../state/metadata-records.js'

/** An image that came into force. `delta` and `records` (those since the one before) are null for the first one. */
export interface ImageStep {
  readonly image: MetadataImage
  readonly delta: MetadataDelta | null
  readonly records: readonly MetadataRecord[] | null
}

export interface Coordinators extends GroupsView {
  /** Makes the shards agree with the image. */
  onImage(step: ImageStep): void
  /** Calls back when the group's shard, if it is here, is done loading. */
  whenSettled(groupId: string, callback: () => void): void
  onChunk(chunk: EventNamed<'loaded-chunk'>): void
  onCommitted(event: EventNamed<'committed'>): void
  /** Answers whoever waits and lets go of everything; calls back when that has been submitted. */
  close(closed: () => void): void
}
