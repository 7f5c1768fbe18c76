import { getEventListeners } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { openWarehouse } from '../../src/warehouse/open-warehouse.ts'
import type { Warehouse } from '../../src/warehouse/warehouse.ts'
import { WarehouseScene } from './suite/scene.ts'
import { describeWarehouse } from './warehouse-suite.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'millrace-warehouse-'))
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

const open = (folder: string): Warehouse =>
  openWarehouse({
    config: { clickhouseUrl: null, engineMemoryBytes: null, databaseUrl: null },
    dataDir: folder,
    logger: silentLogger,
    clock: systemClock,
  })

describeWarehouse('the warehouse on the embedded engine', async () => open(dataDir))

test('a parameter may be longer than a statement, and 4 MiB are refused by name', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-warehouse-'))
  const scene = new WarehouseScene(open(folder))
  onTestFinished(async () => {
    await scene.warehouse.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const sql = 'SELECT length({text:String}) AS bytes, {text:String} = repeat({part:String}, 40000) AS same'
  // Escaped characters take more room.
  const part = "it's \\\n"
  for (const format of ['csv', 'arrow'] as const) {
    const { summary } = await scene.read({ sql, format, parameters: { text: part.repeat(40_000), part } })
    expect(summary.rowCount).toBe(1)
  }
  expect(await scene.text({ sql, format: 'csv', parameters: { text: part.repeat(40_000), part } })).toBe(
    '"bytes","same"\n280000,1\n',
  )
  expect(await scene.refusal({ sql, parameters: { text: 'x'.repeat(4_194_300), part } })).toMatchObject({
    reason: 'sql_error',
    message:
      'The parameters of the query have 4,194,307 bytes together, and may have 4,194,304 bytes. text has 4,194,300 bytes.',
  })
})

test('a signal shared by many statements keeps no listeners of those that have ended', async () => {
  const scene = new WarehouseScene(open(dataDir))
  onTestFinished(() => scene.warehouse.close())
  const { signal } = new AbortController()
  const { workspace } = scene
  await scene.warehouse.command({ workspace, sql: 'CREATE TABLE kept (a UInt8) ENGINE = MergeTree ORDER BY a', signal })
  for (let at = 0; at < 3; at++) {
    await scene.warehouse.rows({ workspace, sql: 'SELECT 1 AS one', signal })
    await scene.warehouse.insert({
      workspace,
      sql: 'INSERT INTO kept FORMAT CSV',
      content: Readable.from([Buffer.from('1\n')]),
      signal,
    })
    await expect(scene.warehouse.rows({ workspace, sql: 'SELECT nothing', signal })).rejects.toThrow('nothing')
  }
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

const LIMITS = { timeoutMs: null, memoryBytes: 2 ** 30, threads: 1, resultRows: null }

test.runIf(process.platform === 'linux')(
  'a query whose engine dies is lost, and the next one runs in a new engine (needs /proc)',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-warehouse-'))
    const warehouse = open(folder)
    onTestFinished(async () => {
      await warehouse.close()
      rmSync(folder, { recursive: true, force: true })
    })
    const ask = async (queryId: string, sql: string): Promise<string> => {
      const query = { workspace: 'default', queryId, sql, parameters: {}, format: 'csv', limits: LIMITS } as const
      const { content } = await warehouse.query({ ...query, signal: new AbortController().signal })
      return Buffer.concat(await Array.fromAsync(content)).toString()
    }
    const lost = ask('lost', 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1')
    const end = expect(lost).rejects.toMatchObject({ reason: 'engine_lost' })
    await expect
      .poll(() => warehouse.progress({ workspace: 'default', queryId: 'lost' }), { timeout: 20_000 })
      .not.toBeNull()
    const engines = ownProcesses(folder)
    expect(engines).toHaveLength(1)
    process.kill(engines[0]!, 'SIGKILL')
    await end
    // The connection may report the death before the system tells the parent.
    const next = () => ask('next', 'SELECT 1 AS a').catch((error: Error) => error.message)
    await expect.poll(next, { timeout: 20_000 }).toBe('"a"\n1\n')
  },
)

/** Children of this process whose command line names the folder. */
const ownProcesses = (folder: string): readonly number[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        const parent = Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[1])
        return parent === process.pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder)
      } catch {
        // It exited while we looked.
        return false
      }
    })
