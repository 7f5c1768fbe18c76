import { tmpdir } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { openWarehouse } from '../../src/warehouse/open-warehouse.ts'
import { WarehouseScene } from './suite/scene.ts'
import { exception, type OwnAnswer, type Seen, startTcpEngine, type TcpEngine } from './tcp-engine.ts'

// What reaches a ClickHouse server, by what the embedded engine is asked in its place.

/** As set by a profile of the operator. */
const CHANGED = [
  ['join_use_nulls', '0', '0'],
  ['result_overflow_mode', 'throw', '0'],
  ['max_memory_usage', '0', '0'],
  ['date_time_input_format', 'basic', '1'],
]

let engine: TcpEngine
let scene: WarehouseScene
/** Answers instead of the engine, for one test. */
let answer: (seen: Seen) => OwnAnswer | null = () => null

beforeAll(async () => {
  engine = await startTcpEngine({
    answer: seen =>
      seen.sql.includes('FROM system.settings') ? { status: 200, text: JSON.stringify(CHANGED) } : answer(seen),
  })
  const config = { clickhouseUrl: engine.url, engineMemoryBytes: null, databaseUrl: null }
  scene = new WarehouseScene(openWarehouse({ config, dataDir: tmpdir(), logger: silentLogger, clock: systemClock }))
  await scene.prepare()
})
afterAll(async () => {
  await scene?.close()
  await engine?.close()
})

const seenWith = (text: string): readonly Seen[] => engine.seen.filter(({ sql }) => sql.includes(text))

test('users’ queries are sent as the user of the workspace, readonly, and everything else as the account', async () => {
  await scene.text({ sql: 'SELECT 1 AS mine', format: 'arrow' })
  const name = scene.warehouse.database(scene.workspace)
  const own = seenWith('mine').filter(({ user }) => user === name)
  expect(own.length).toBeGreaterThan(1)
  for (const { parameters } of own)
    expect([parameters.get('database'), parameters.get('readonly')]).toEqual([name, '1'])
  const guarding = seenWith('mine').filter(({ user }) => user !== name)
  expect(guarding.length).toBeGreaterThan(1)
  for (const { user, parameters } of guarding) expect([user, parameters.get('readonly')]).toEqual(['millrace', '1'])
})

test('statements on users, rights and logs, which the embedded engine cannot run, are at least valid for its parser', async () => {
  await scene.text({ sql: 'SELECT 1' })
  const statements = ['CREATE USER', 'ALTER USER', 'GRANT ', 'SYSTEM FLUSH'].map(words => {
    const [found] = engine.seen.filter(({ sql }) => sql.startsWith(words))
    return found!.sql
  })
  for (const sql of statements) {
    const rows = await scene.warehouse.rows<{ text: string }>({
      workspace: scene.workspace,
      sql: 'SELECT formatQuery({sql:String}) AS text',
      parameters: { sql },
    })
    expect(rows[0]!.text).toMatch(/^(CREATE USER|ALTER USER|GRANT SELECT|SYSTEM FLUSH LOGS query_log)/)
  }
})

test('a profile’s settings that change results are reset, its limits are kept, and a fixed one is reported', async () => {
  await scene.text({ sql: "SELECT 'set back' AS a" })
  await scene.rows("SELECT 'set back' AS b")
  const sent = seenWith("'set back'")
  expect(new Set(sent.map(({ user }) => user)).size).toBe(2)
  for (const { parameters } of sent) {
    expect(parameters.get('join_use_nulls')).toBe('0')
    expect(parameters.get('result_overflow_mode')).toBe('throw')
    expect(parameters.has('date_time_input_format')).toBe(false)
  }
  expect(seenWith("'set back' AS b")[0]!.parameters.has('max_memory_usage')).toBe(false)
  expect(scene.warehouse.warning()).toMatch(/may not set back.*: date_time_input_format\.$/)
})

test('an insert is not batched asynchronously', async () => {
  await scene.command('CREATE TABLE few (a UInt8) ENGINE = Memory')
  const { warehouse, workspace } = scene
  await warehouse.insert({ workspace, sql: 'INSERT INTO few FORMAT CSV', content: parts('1\n2\n') })
  const [insert] = seenWith('INSERT INTO few')
  expect([insert!.isInAddress, insert!.parameters.get('async_insert')]).toEqual([true, '0'])
  expect(await scene.rows('SELECT a FROM few ORDER BY a')).toEqual([{ a: 1 }, { a: 2 }])
})

test('an insert too long for a URL is sent in front of its rows', async () => {
  await scene.command('CREATE TABLE long (a UInt8) ENGINE = Memory')
  const { warehouse, workspace } = scene
  const sql = `INSERT INTO long /* ${'x'.repeat(70_000)} */ (a) FORMAT CSV`
  await warehouse.insert({ workspace, sql, content: parts('1\n', '2\n') })
  const [insert] = seenWith('INSERT INTO long')
  expect(insert).toMatchObject({ isInAddress: false, sql: `${sql}\n1\n2\n` })
  expect(await scene.rows('SELECT a FROM long ORDER BY a')).toEqual([{ a: 1 }, { a: 2 }])
})

test('the SQL of a query is never in the URL', async () => {
  const sql = `SELECT '${'é'.repeat(60_000)}' AS a`
  await scene.text({ sql })
  for (const { parameters } of seenWith('é')) expect(String(parameters).length).toBeLessThan(10_000)
})

test('parameters too long for a server are reported by name, one or all, before the query runs', async () => {
  const refusal = (lengths: readonly number[]) => {
    const names = lengths.map((_, index) => `long${index}`)
    const parameters = Object.fromEntries(names.map((name, index) => [name, 'é'.repeat(lengths[index]!)]))
    return scene.refusal({ sql: `SELECT ${names.map(name => `{${name}:String}`).join(', ')}`, parameters })
  }
  const told = (name: string, bytes: string) => ({
    reason: 'sql_error',
    message: `The parameters of the query are too long for the engine. ${name} has ${bytes} bytes as it is encoded in an address; a ClickHouse server takes 131,072 of each and 1,048,576 of all unless its settings say otherwise.`,
  })
  expect(await refusal([1, 30_000])).toMatchObject(told('long1', '180,000'))
  expect(await refusal([...Array(19).fill(20_000), 20_001])).toMatchObject(told('long19', '120,006'))
  expect(engine.seen.some(({ sql, user }) => user !== 'millrace' && sql.includes('{long1:String}'))).toBe(false)
})

test('a result is complete without a query log', async () => {
  for (const refused of [
    exception(497, 'Not enough privileges. (ACCESS_DENIED)'),
    exception(60, 'Unknown table. (X_Y)'),
  ]) {
    answer = ({ sql }) => (sql.includes('query_log') ? refused : null)
    expect(await scene.text({ sql: 'SELECT 1 AS a', format: 'csv' })).toBe('"a"\n1\n')
  }
  answer = () => null
})

async function* parts(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}
