// `npm run test:compat`: Kafka's Java clients and tools, confluent-kafka and franz-go against a real broker.
import { close, vitestTests } from './suite.mjs'

close([await vitestTests(['--config', 'vitest.compat.config.ts', ...process.argv.slice(2)])])
