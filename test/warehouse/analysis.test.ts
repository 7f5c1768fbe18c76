import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/kernel/clock.ts'
import { type Logger, silentLogger } from '../../src/kernel/logger.ts'
import { openWarehouse } from '../../src/warehouse/open-warehouse.ts'

const workspace = 'default'

/** Analysis for one caller must not block the engine for others: an engine that does not stop analysing is killed. */
const openOne = (options: { analysisMs?: number; logger?: Logger } = {}) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-analysis-'))
  const config = { clickhouseUrl: null, engineMemoryBytes: null, databaseUrl: null }
  const warehouse = openWarehouse({ config, dataDir, logger: silentLogger, clock: systemClock, ...options })
  onTestFinished(async () => {
    await warehouse.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  return warehouse
}

/** Each expression reads the one before twice. */
const doubling = (depth: number): string => {
  const expressions = Array.from({ length: depth }, (_, index) =>
    index === 0
      ? 'x0 AS (SELECT number AS a FROM numbers(3))'
      : `x${index} AS (SELECT a FROM x${index - 1} WHERE a IN (SELECT a FROM x${index - 1}))`,
  )
  return `WITH ${expressions.join(', ')} SELECT a FROM x${depth - 1}`
}

test('SQL that takes the engine too long to analyse is refused, and other statements run meanwhile', async () => {
  const warehouse = openOne({ analysisMs: 500 })
  expect(await warehouse.describeSelect({ workspace, sql: doubling(2) })).toMatchObject([{ name: 'a', type: 'UInt64' }])
  const slow = warehouse.describeSelect({ workspace, sql: doubling(13) })
  const refused = expect(slow).rejects.toMatchObject({
    reason: 'sql_error',
    message: expect.stringContaining('within 0.5 seconds'),
  })
  expect(await warehouse.rows({ workspace, sql: 'SELECT 1 AS one' })).toEqual([{ one: 1 }])
  await refused
  const again = () => warehouse.rows({ workspace, sql: 'SELECT 1 AS one' }).catch((error: Error) => error.message)
  await expect.poll(again, { timeout: 20_000 }).toEqual([{ one: 1 }])
})

test('a frozen engine is unavailable, and the SQL is not blamed', async () => {
  let pid = 0
  const info = ({ engine }: { engine?: number }) => {
    pid = engine ?? pid
  }
  const warehouse = openOne({ analysisMs: 500, logger: { ...silentLogger, info } as unknown as Logger })
  const ask = () => warehouse.describeSelect({ workspace, sql: 'SELECT 1 AS one' })
  await ask()
  process.kill(pid, 'SIGSTOP')
  await expect(ask())
    .rejects.toMatchObject({ reason: 'engine_unavailable' })
    .finally(() => process.kill(pid, 'SIGCONT'))
  await expect.poll(ask).toMatchObject([{ name: 'one' }])
}, 60_000)

test('SQL that expands too far is refused, even for internal statements', async () => {
  const warehouse = openOne()
  await expect(warehouse.describeSelect({ workspace, sql: doubling(30) })).rejects.toMatchObject({
    reason: 'sql_error',
  })
  const query = warehouse.query({
    workspace,
    queryId: 'large',
    sql: doubling(30),
    parameters: {},
    format: 'csv',
    limits: { timeoutMs: 60_000, memoryBytes: 2 ** 30, threads: 1, resultRows: null },
    signal: new AbortController().signal,
  })
  await expect(query).rejects.toMatchObject({ reason: 'sql_error', message: expect.stringContaining('too big') })
}, 120_000)

test('names are resolved by the analyzer, whatever the default of a server', async () => {
  const sql = "SELECT value, changed FROM system.settings WHERE name = 'enable_analyzer'"
  expect(await openOne().rows({ workspace, sql })).toEqual([{ value: '1', changed: 1 }])
})
