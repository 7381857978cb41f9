// `npm test`: the Rust tests of record and engine, then vitest. Needs Node and Rust alone.
// The addon has no Rust tests: it links against Node's own symbols, so vitest drives it instead.
import { cargoTests, close, vitestTests } from './suite.mjs'

const rust = await cargoTests([
  '--release',
  '--locked',
  '--quiet',
  '-p',
  'millrace-record',
  '-p',
  'millrace-engine',
])
const typescript = await vitestTests(process.argv.slice(2))
close([rust, typescript])
