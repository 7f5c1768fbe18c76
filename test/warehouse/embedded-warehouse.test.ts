import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { systemClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { openWarehouse } from '../../src/warehouse/open-warehouse.ts'
import { describeWarehouse } from './warehouse-suite.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'millrace-warehouse-'))
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

describeWarehouse('the warehouse on the embedded engine', async () =>
  openWarehouse({ config: { clickhouseUrl: null }, dataDir, logger: silentLogger, clock: systemClock }),
)
