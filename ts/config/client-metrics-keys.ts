/**
 * The config keys of a client metrics subscription (resource type CLIENT_METRICS, KIP-714) and what their values must
 * be. Who pushes metrics is not known here.
 */
import { type ConfigKey, int, list } from './key.js'

export const clientMetricsKeys = {
  'interval.ms': int({ default: 300_000, doc: 'How often a client pushes its metrics, in ms.' }),
  match: list({
    default: '',
    doc: 'Which clients are meant, selector=pattern separated by commas; empty for all.',
  }),
  metrics: list({
    default: '',
    doc: 'Prefixes of the names of the metrics wanted, separated by commas; * for all.',
  }),
} satisfies Record<string, ConfigKey<unknown>>

const selectors = new Set([
  'client_instance_id',
  'client_id',
  'client_software_name',
  'client_software_version',
  'client_source_address',
  'client_source_port',
])

/** The sentence about values that are of the right type and still no subscription; `unknown` for INVALID_REQUEST. */
export function invalidClientMetricsValue(
  values: ReadonlyMap<string, string | null>,
): { unknown: boolean; sentence: string } | null {
  const interval = values.get('interval.ms')?.trim()
  if (interval !== undefined && (Number(interval) < 100 || Number(interval) > 3_600_000)) {
    const bounds = 'interval must be between 100 and 3600000 (1 hour)'
    return { unknown: true, sentence: `Invalid value ${interval} for interval.ms, ${bounds}` }
  }
  const patterns = clientMetricsKeys.match.parse(values.get('match') ?? '')
  const illegal = ('value' in patterns ? patterns.value : []).find((one) => !isMatch(one))
  if (illegal === undefined) return null
  return { unknown: false, sentence: `Illegal client matching pattern: ${illegal}` }
}

function isMatch(text: string): boolean {
  const [selector = '', pattern, ...rest] = text.split('=')
  if (pattern === undefined || rest.length > 0 || !selectors.has(selector.trim())) return false
  try {
    new RegExp(pattern.trim())
    return true
  } catch {
    return false
  }
}
