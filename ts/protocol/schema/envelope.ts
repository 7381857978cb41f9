/**
 * Envelope (key 58): a broker forwards a client's request to the controller, with the principal and address that it
 * came from (KIP-590).
 * Flexible from v0.
 */
import { bytes, int16 } from '../notation.js'
import { api } from '../table.js'

export const envelope = api({
  key: 58,
  name: 'Envelope',
  versions: [0, 0],
  flexible: 0,
  request: {
    requestData: bytes(),
    requestPrincipal: bytes({ nullable: true }),
    clientHostAddress: bytes(),
  },
  response: {
    responseData: bytes({ nullable: true, default: null }),
    errorCode: int16(),
  },
})
