/** The batch of one turn: what is in it, and what an answer that cannot be written does to it. */
import { describe, expect, it } from 'vitest'
import { decodeCommands } from '../../../ts/native/commands.js'
import type { EventPort } from '../../../ts/native/node.js'
import { encodeResponseFrameBody, heartbeat } from '../../../ts/protocol/index.js'
import { Outbox } from '../../../ts/runtime/outbox.js'

const request = { conn: 7, token: 3, apiVersion: 4 }

function flushed(outbox: Outbox): ReturnType<typeof decodeCommands>[] {
  const batches: ReturnType<typeof decodeCommands>[] = []
  const port: EventPort = {
    drain: () => Buffer.alloc(0),
    append: () => {},
    submit: (batch) => batches.push(decodeCommands(Buffer.from(batch))),
  }
  outbox.flush(port)
  return batches
}

describe('an outbox', () => {
  it('submits the commands of a turn in their order, once', () => {
    const outbox = new Outbox()
    expect(flushed(outbox)).toEqual([])
    outbox.push({ kind: 'respond-none', conn: 1, token: 2 })
    outbox.respond(request, heartbeat, 11, { errorCode: 27 })
    const response = encodeResponseFrameBody(heartbeat, 4, 11, { errorCode: 27 })
    expect(flushed(outbox)).toEqual([
      [
        { kind: 'respond-none', conn: 1, token: 2 },
        { kind: 'respond', conn: 7, token: 3, response },
      ],
    ])
    expect(flushed(outbox)).toEqual([])
  })

  it('loses nothing to a response that does not fit its table', () => {
    const outbox = new Outbox()
    outbox.push({ kind: 'respond-none', conn: 1, token: 2 })
    expect(() => outbox.respond(request, heartbeat, 11, { errorCode: 70_000 })).toThrow(TypeError)
    outbox.push({ kind: 'respond-none', conn: 3, token: 4 })
    expect(flushed(outbox)).toEqual([
      [
        { kind: 'respond-none', conn: 1, token: 2 },
        { kind: 'respond-none', conn: 3, token: 4 },
      ],
    ])
  })

  it('keeps what is pushed while it submits for the next time', () => {
    const outbox = new Outbox()
    outbox.push({ kind: 'respond-none', conn: 1, token: 2 })
    const seen: number[] = []
    outbox.flush({
      drain: () => Buffer.alloc(0),
      append: () => {},
      submit: (batch) => {
        outbox.push({ kind: 'respond-none', conn: 5, token: 6 })
        seen.push(decodeCommands(Buffer.from(batch)).length)
      },
    })
    expect(seen).toEqual([1])
    expect(flushed(outbox)).toEqual([[{ kind: 'respond-none', conn: 5, token: 6 }]])
  })
})
