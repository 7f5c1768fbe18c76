import { expect, test } from 'vitest'
import { newId } from '../../../src/kernel/ids.ts'
import { quoteIdentifier } from '../../../src/warehouse/quote-identifier.ts'
import type { AreaTests } from './scene.ts'

export const statementTests: AreaTests = scene => {
  test('of one workspace does not see the tables of another', async () => {
    const other = `w${newId().slice(-8)}`
    const database = quoteIdentifier(scene().warehouse.database(scene().workspace))
    for (const table of ['secrets', `${database}.secrets`])
      expect((await scene().refusal({ workspace: other, sql: `SELECT * FROM ${table}` })).reason).toBe('sql_error')
  })

  test('inserts rows from a stream, and nothing of an incomplete block when the stream breaks', async () => {
    const { warehouse, workspace } = scene()
    await scene().command('CREATE TABLE inserted (a UInt64) ENGINE = MergeTree ORDER BY a')
    const insert = (content: AsyncGenerator<Uint8Array>) =>
      warehouse.insert({ workspace, sql: 'INSERT INTO inserted FORMAT CSV', content })
    const count = () => scene().rows('SELECT count() AS n FROM inserted')
    await insert(lines(50_000))
    expect(await count()).toEqual([{ n: '50000' }])
    await expect(insert(lines(10, 'no number'))).rejects.toMatchObject({ reason: 'sql_error' })
    expect(await count()).toEqual([{ n: '50000' }])
    await scene().command('DROP TABLE inserted')
  })

  test('runs in a given database, with values bound', async () => {
    const { warehouse, workspace } = scene()
    const database = `${warehouse.database(workspace)}_stg`
    const table = quoteIdentifier('odd`name')
    await scene().command(`CREATE DATABASE ${quoteIdentifier(database)}`)
    await warehouse.command({ workspace, database, sql: `CREATE TABLE ${table} (a String) ENGINE = Memory` })
    const sql = `INSERT INTO ${table} SELECT {v:String}`
    await warehouse.command({ workspace, database, sql, parameters: { v: "it's" } })
    expect(await warehouse.rows({ workspace, database, sql: `SELECT a FROM ${table}` })).toEqual([{ a: "it's" }])
    await scene().command(`DROP DATABASE ${quoteIdentifier(database)}`)
  })

  test('that takes long is not affected by the idle timeout of an earlier client on its connection', async () => {
    const { warehouse, workspace } = scene()
    const wait = 'SELECT sleepEachRow(1) FROM numbers(4) SETTINGS max_block_size = 1'
    await warehouse.rows({ workspace, sql: 'SELECT 1' })
    expect(await warehouse.rows({ workspace, sql: wait, database: 'system' })).toHaveLength(4)
  })

  test('finds no problem with an engine that answers', async () => {
    expect(await scene().warehouse.problem()).toBeNull()
  })
}

async function* lines(count: number, last?: string): AsyncGenerator<Uint8Array> {
  for (let line = 0; line < count; line++) yield Buffer.from(`${line}\n`)
  if (last !== undefined) yield Buffer.from(`${last}\n`)
}
