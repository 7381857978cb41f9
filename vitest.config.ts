import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/{unit,wire,cluster,crash,faults,sim}/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
