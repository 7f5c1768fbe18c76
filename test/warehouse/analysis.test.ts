import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { openWarehouse } from '../../src/warehouse/open-warehouse.ts'
import type { Warehouse } from '../../src/warehouse/warehouse.ts'

const workspace = 'default'
const dataDir = mkdtempSync(join(tmpdir(), 'millrace-analysis-'))
let warehouse: Warehouse
beforeAll(() => {
  warehouse = openWarehouse({
    config: { clickhouseUrl: null, engineMemoryBytes: null, databaseUrl: null },
    dataDir,
    logger: silentLogger,
    clock: systemClock,
    analysisMs: 500,
  })
})
afterAll(async () => {
  await warehouse.close()
  rmSync(dataDir, { recursive: true, force: true })
})

/** Each expression reads the one before twice. */
const doubling = (depth: number): string => {
  const expressions = Array.from({ length: depth }, (_, index) =>
    index === 0
      ? 'x0 AS (SELECT number AS a FROM numbers(3))'
      : `x${index} AS (SELECT a FROM x${index - 1} WHERE a IN (SELECT a FROM x${index - 1}))`,
  )
  return `WITH ${expressions.join(', ')} SELECT a FROM x${depth - 1}`
}

test('SQL that the engine does not understand in time is refused, and others go on meanwhile', async () => {
  expect(await warehouse.describeSelect({ workspace, sql: doubling(2) })).toMatchObject([{ name: 'a', type: 'UInt64' }])
  const begun = performance.now()
  const slow = warehouse.describeSelect({ workspace, sql: doubling(13) })
  const refused = expect(slow).rejects.toMatchObject({
    reason: 'sql_error',
    message: expect.stringContaining('within 0.5 seconds'),
  })
  expect(await warehouse.rows({ workspace, sql: 'SELECT 1 AS one' })).toEqual([{ one: 1 }])
  await refused
  expect(performance.now() - begun).toBeLessThan(4_000)
  const again = () => warehouse.rows({ workspace, sql: 'SELECT 1 AS one' }).catch((error: Error) => error.message)
  await expect.poll(again, { timeout: 20_000 }).toEqual([{ one: 1 }])
})

test('SQL that becomes too large is refused at once, whoever asks', async () => {
  await expect(warehouse.describeSelect({ workspace, sql: doubling(30) })).rejects.toMatchObject({
    reason: 'sql_error',
  })
  const query = warehouse.query({
    workspace,
    queryId: 'large',
    sql: doubling(30),
    parameters: {},
    format: 'csv',
    limits: { timeoutMs: 5_000, memoryBytes: 2 ** 30, threads: 1, resultRows: null },
    signal: new AbortController().signal,
  })
  await expect(query).rejects.toMatchObject({ reason: 'sql_error', message: expect.stringContaining('too big') })
}, 60_000)
