/**
 * Gathers the commands of one turn of the loop, so that they leave as one `submit`. It judges no command.
 */
import { type Command, writeCommand, writeRespond } from '../native/commands.js'
import type { EventPort } from '../native/node.js'
import { type Api, type EncodableResponse, Writer, writeResponseFrameBody } from '../protocol/index.js'

const BATCH_BYTES = 16 * 1024
/** Above this a batch's memory is let go after use, so that one large reply does not stay. */
const BATCH_BYTES_MAX = 1 << 20

export class Outbox {
  private batch = new Writer(BATCH_BYTES)
  private spare = new Writer(0)

  push(command: Command): void {
    writeCommand(this.batch, command)
  }

  /** The `respond` command of one request, its response encoded in place. A response that does not fit its table throws. */
  respond<A extends Api>(
    { conn, token, apiVersion }: { conn: number; token: number; apiVersion: number },
    api: A,
    correlationId: number,
    response: EncodableResponse<A>,
  ): void {
    writeRespond(this.batch, conn, token, (batch) =>
      writeResponseFrameBody(batch, api, apiVersion, correlationId, response),
    )
  }

  flush(native: EventPort): void {
    if (this.batch.length === 0) return
    const { batch } = this
    // What comes while it leaves is for the next one.
    this.batch = this.spare
    this.spare = batch
    native.submit(batch.view())
    if (batch.capacity > BATCH_BYTES_MAX) this.spare = new Writer(BATCH_BYTES)
    else batch.reset()
  }
}
