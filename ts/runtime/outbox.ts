/**
 * Gathers the commands of one turn of the loop, so that they leave as one `submit`. It judges no command.
 */
import { type Command, encodeCommand } from '../native/commands.js'
import type { EventPort } from '../native/node.js'

export class Outbox {
  private frames: Buffer[] = []

  push(command: Command): void {
    this.frames.push(encodeCommand(command))
  }

  flush(native: EventPort): void {
    if (this.frames.length === 0) return
    const batch = this.frames.length === 1 && this.frames[0] ? this.frames[0] : Buffer.concat(this.frames)
    this.frames = []
    native.submit(batch)
  }
}
