import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DataScene, materialized, openDataScene } from './scene.ts'

// Enough rows for an engine to merge what it has written while it continues writing: rows that it combines, or that have expired.

const ROWS = 24_000_000

let scene: DataScene

beforeAll(async () => {
  scene = await openDataScene()
})
afterAll(() => scene?.stop())

const SQL = `SELECT number % 7 AS k, number AS v, toDate('2001-02-03') AS day FROM numbers(${ROWS})`

const definition = (name: string) =>
  scene.value(`SELECT create_table_query FROM system.tables WHERE database = 'live' AND name = '${name}'`)

test.each([
  ['replaced', 'replace', { engine: 'ReplacingMergeTree(v)', sortingKey: 'k' }],
  ['appended', 'append', { engine: 'ReplacingMergeTree(v)', sortingKey: 'k' }],
  ['summed', 'append', { engine: 'SummingMergeTree(v)', sortingKey: 'k' }],
  ['expired', 'append', { ttl: 'day + INTERVAL 1 DAY' }],
])(
  '%s: all written rows are counted and feed nodes, before any merge',
  async (name, mode, more) => {
    const columns = { k: 'UInt8', v: 'UInt64', day: 'Date' }
    await scene.dataSource(name, columns, more)
    const before = await definition(name)
    await scene.dataSource(`${name}_count`, { rows: 'UInt64' })
    const sql = `SELECT count() AS rows FROM ${name}`
    await scene.pipe(`${name}_pipe`, [{ name: 'counted', sql, role: materialized(`${name}_count`) }])

    expect(await scene.run({ query: SQL, datasource: name, mode })).toMatchObject({
      status: 'completed',
      statistics: { rows_written: ROWS },
    })
    expect(await scene.value(`SELECT sum(rows) FROM ${name}_count`)).toBe(String(ROWS))

    // The live table is merged as usual.
    expect(await definition(name)).toBe(before)
    const left = name === 'expired' ? '0' : '7'
    const merged = async () => {
      await scene.warehouse.command({ workspace: 'default', sql: `OPTIMIZE TABLE live.${name} FINAL` })
      return scene.value(`SELECT count() FROM ${name}`)
    }
    await expect.poll(merged, { timeout: 60_000 }).toBe(left)
  },
  120_000,
)
