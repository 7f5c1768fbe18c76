import { configDefaults, defineConfig } from 'vitest/config'

/** Needs a ClickHouse server, which nothing here can install: run where `docker/clickhouse/compose.yaml` or another one is up. */
const NEEDS_CLICKHOUSE = process.env.MILLRACE_TEST_CLICKHOUSE_URL ? [] : ['test/warehouse/server-warehouse.test.ts']

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...NEEDS_CLICKHOUSE],
    globalSetup: ['test/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
