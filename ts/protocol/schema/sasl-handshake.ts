/**
 * SaslHandshake (key 17): chooses the SASL mechanism, and learns which ones are enabled.
 * v0 is followed by bare SASL tokens · v1 by SaslAuthenticate. Never flexible, because old clients misjudge newer
 * versions (KAFKA-9577).
 */
import { array, int16, string } from '../notation.js'
import { api } from '../table.js'

export const saslHandshake = api({
  key: 17,
  name: 'SaslHandshake',
  versions: [0, 1],
  request: {
    mechanism: string(),
  },
  response: {
    errorCode: int16(),
    mechanisms: array(string()),
  },
})
