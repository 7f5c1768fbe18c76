import { tmpdir } from 'node:os'
import { test } from 'vitest'
import { systemClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { openWarehouse } from '../../src/warehouse/open-warehouse.ts'
import { describeWarehouse } from './warehouse-suite.ts'

const url = process.env.MILLRACE_TEST_CLICKHOUSE_URL

if (url === undefined)
  test.skip('the warehouse on a ClickHouse server: MILLRACE_TEST_CLICKHOUSE_URL names none (docker/clickhouse/compose.yaml)', () => {})
else
  describeWarehouse('the warehouse on a ClickHouse server', async () =>
    openWarehouse({ config: { clickhouseUrl: url }, dataDir: tmpdir(), logger: silentLogger, clock: systemClock }),
  )
