import { tmpdir } from 'node:os'
import { afterAll } from 'vitest'
import { systemClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { openWarehouse } from '../../src/warehouse/open-warehouse.ts'
import { startTcpEngine, type TcpEngine } from './tcp-engine.ts'
import { describeWarehouse } from './warehouse-suite.ts'

/** Of a real server (`docker/clickhouse/compose.yaml`). */
const given = process.env.MILLRACE_TEST_CLICKHOUSE_URL

let engine: TcpEngine | null = null
afterAll(() => engine?.close())

const open = async () => {
  engine = given === undefined ? await startTcpEngine() : null
  return openWarehouse({
    config: { clickhouseUrl: given ?? engine!.url, engineMemoryBytes: null, databaseUrl: null },
    dataDir: tmpdir(),
    logger: silentLogger,
    clock: systemClock,
  })
}

describeWarehouse(
  given === undefined
    ? 'the warehouse over TCP, the embedded engine in place of a ClickHouse server'
    : 'the warehouse on a ClickHouse server',
  open,
)
