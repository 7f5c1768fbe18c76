import { tmpdir } from 'node:os'
import { systemClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { openWarehouse } from '../../src/warehouse/open-warehouse.ts'
import { describeWarehouse } from './warehouse-suite.ts'

const clickhouseUrl = process.env.MILLRACE_TEST_CLICKHOUSE_URL!

describeWarehouse('the warehouse on a ClickHouse server', async () =>
  openWarehouse({
    config: { clickhouseUrl, engineMemoryBytes: null, databaseUrl: null },
    dataDir: tmpdir(),
    logger: silentLogger,
    clock: systemClock,
  }),
)
