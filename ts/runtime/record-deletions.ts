/** Deletions of records that the data plane has been told of, each with the caller that waits for its answer. */
import type { Command } from '../native/commands.js'
import type { EventNamed } from '../native/events.js'
import { Waiting } from './waiting.js'

/** lowWatermark: the log start offset from now on; −1 with an error. */
export interface DeletedRecords {
  readonly lowWatermark: number
  readonly errorCode: number
}

export interface RecordDeletion {
  readonly topicId: string
  readonly partition: number
  readonly leaderEpoch: number
  /** −1: the high watermark. */
  readonly offset: number
}

export class RecordDeletions {
  private readonly waiting = new Waiting<DeletedRecords>()

  constructor(private readonly push: (command: Command) => void) {}

  delete(deletion: RecordDeletion, answer: (deleted: DeletedRecords) => void): void {
    this.push({ kind: 'delete-records', requestId: this.waiting.add(answer), ...deletion })
  }

  onDeleted({ requestId, lowWatermark, errorCode }: EventNamed<'records-deleted'>): void {
    this.waiting.answer(requestId, { lowWatermark, errorCode })
  }
}
