import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/compat/**/*.compat.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 180_000,
    hookTimeout: 600_000,
  },
})
