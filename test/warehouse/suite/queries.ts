import { tableFromIPC } from 'apache-arrow'
import { expect, test } from 'vitest'
import { quoteIdentifier } from '../../../src/warehouse/quote-identifier.ts'
import { HARMLESS } from '../attacks.ts'
import type { AreaTests } from './scene.ts'

export const queryTests: AreaTests = scene => {
  test('returns its rows in each format, and their number', async () => {
    const sql = 'SELECT number AS n, toString(number) AS s FROM numbers(3) ORDER BY n'
    expect(await scene().text({ sql, format: 'ndjson' })).toBe(
      '{"n":"0","s":"0"}\n{"n":"1","s":"1"}\n{"n":"2","s":"2"}\n',
    )
    expect(JSON.parse(await scene().text({ sql, format: 'json' }))).toEqual(
      [0, 1, 2].map(n => ({ n: `${n}`, s: `${n}` })),
    )
    expect(await scene().text({ sql, format: 'csv' })).toBe('"n","s"\n0,"0"\n1,"1"\n2,"2"\n')
    expect((await scene().read({ sql, format: 'parquet' })).bytes.subarray(-4).toString()).toBe('PAR1')
    for (const format of ['arrow', 'arrow_stream'] as const) {
      const { bytes, summary } = await scene().read({ sql, format })
      expect(
        tableFromIPC(bytes)
          .toArray()
          .map(row => row.toJSON()),
      ).toEqual([0n, 1n, 2n].map(n => ({ n, s: `${n}` })))
      expect(summary.rowCount).toBe(3)
    }
  })

  test('in Arrow has common types, whatever its columns are called', async () => {
    const sql = 'SELECT toDateTime(0) AS `a.b``c`, generateUUIDv4() AS `x y`, 1 AS plain'
    const table = tableFromIPC((await scene().read({ sql, format: 'arrow', limits: { resultRows: 1 } })).bytes)
    const types = table.schema.fields.map(({ name, type }) => [name, String(type)])
    expect(types).toEqual([
      ['a.b`c', expect.stringMatching(/^Timestamp<SECOND/)],
      ['x y', 'Utf8'],
      ['plain', 'Uint8'],
    ])
  })

  test('can read columns named like values and keywords of SQL', async () => {
    const columns = ['true', 'FALSE', 'not', 'nan', 'inf', 'Infinity', 'top', 'cube', 'rollup', 'strict', 'recursive']
    const values = columns.map((name, index) => `${index + 2} AS \`${name}\``).join(', ')
    const names = columns.map(name => `\`${name}\` + "${name}" AS \`${name}\``).join(', ')
    const sql = `SELECT ${names}, '\`true\` "not"' AS text FROM (SELECT ${values}) AS t WHERE t.\`true\` = 2 AND NOT (\`not\` = 1)`
    expect(JSON.parse(await scene().text({ sql, format: 'json' }))).toEqual([
      { ...Object.fromEntries(columns.map((name, index) => [name, 2 * index + 4])), text: '`true` "not"' },
    ])
  })

  test('in Arrow refuses two columns of one name, which other formats allow', async () => {
    const sql = 'SELECT toDateTime(0) AS a, a'
    await expect(scene().read({ sql, format: 'arrow' })).rejects.toMatchObject({
      reason: 'sql_error',
      message: expect.stringMatching(/^Two columns are called a, /),
    })
    expect(await scene().text({ sql: 'SELECT 1, 1 UNION ALL SELECT 5, 7', format: 'csv' })).toBe('"1","1"\n1,1\n5,7\n')
  })

  test('is not run to find its types', async () => {
    const slept = async () => {
      const sql = "SELECT sum(value) AS calls FROM system.events WHERE event = 'SleepFunctionMicroseconds'"
      return Number((await scene().rows<{ calls: string }>(sql))[0]!.calls)
    }
    const before = await slept()
    const sql = 'SELECT (SELECT sum(sleepEachRow(0.01)) FROM numbers(5)) AS slept, now() AS at'
    await scene().read({ sql, format: 'arrow' })
    expect(await slept()).toBe(before + 50_000)
  })

  test('without rows has an empty result', async () => {
    expect(JSON.parse(await scene().text({ sql: 'SELECT 1 AS a WHERE 0', format: 'json' }))).toEqual([])
    const { bytes, summary } = await scene().read({ sql: 'SELECT 1 AS a WHERE 0', format: 'arrow' })
    expect(tableFromIPC(bytes).numRows).toBe(0)
    expect(summary.rowCount).toBe(0)
  })

  test('reads the tables of its workspace, with or without the name of the database', async () => {
    expect(await scene().text({ sql: 'SELECT count() AS n FROM secrets' })).toBe('{"n":"10"}\n')
    const database = quoteIdentifier(scene().warehouse.database(scene().workspace))
    expect(await scene().text({ sql: `SELECT count() AS n FROM ${database}.secrets` })).toBe('{"n":"10"}\n')
    expect(await scene().text({ sql: 'SELECT 3 IN (SELECT a FROM secrets) AS n' })).toBe('{"n":1}\n')
  })

  test('counts the rows of its result, not those it has read', async () => {
    expect((await scene().read({ sql: 'SELECT count() FROM numbers(100000)' })).summary.rowCount).toBe(1)
    expect(
      (await scene().read({ sql: 'SELECT number FROM numbers(100000) LIMIT 7', format: 'arrow' })).summary.rowCount,
    ).toBe(7)
  })

  test('keeps the order of its rows through the result', async () => {
    const lines = (
      await scene().text({ sql: 'SELECT number AS n FROM numbers(300000) ORDER BY n DESC', format: 'csv' })
    )
      .trim()
      .split('\n')
    expect(lines.length).toBe(300_001)
    expect(lines.slice(1).every((line, index) => Number(line) === 299_999 - index)).toBe(true)
  })

  test('may be long, and so may its parameters', async () => {
    const long = 'x'.repeat(100_000)
    expect(await scene().text({ sql: `SELECT length('${long}') AS n`, format: 'csv' })).toBe('"n"\n100000\n')
    const sql = 'SELECT length({long:String}) AS n'
    expect(await scene().text({ sql, parameters: { long }, format: 'csv' })).toBe('"n"\n100000\n')
  })

  test('accepts JSON values for every type that they fit', async () => {
    const values: readonly (readonly [string, unknown])[] = [
      ['Tuple(UInt8, Array(Nullable(String)))', [1, ["it's", null]]],
      [
        'Array(Tuple(Int8, String))',
        [
          [1, 'a'],
          [-2, '\t'],
        ],
      ],
      ['Map(Int32, Map(String, Tuple(Int8, Int8)))', { 1: { a: [1, 2] }, '-2': {} }],
      [
        'Polygon',
        [
          [
            [1, 2.5],
            [3, 4],
          ],
        ],
      ],
      ['Nullable(Decimal(5, 2))', null],
      ['LowCardinality(Nullable(String))', null],
    ]
    for (const [type, value] of values) {
      const text = await scene().text({ sql: `SELECT {v:${type}} AS v`, parameters: { v: value }, format: 'json' })
      expect(JSON.parse(text), type).toEqual([{ v: value }])
    }
    const sql = 'SELECT ({v:JSON}).a.b::String AS v'
    expect(JSON.parse(await scene().text({ sql, parameters: { v: { a: { b: "it's" } } }, format: 'json' }))).toEqual([
      { v: "it's" },
    ])
  })

  test('refuses a value that the engine would change', async () => {
    for (const [type, value] of [
      ['UInt8', 256],
      ['Date', '2026-02-30'],
      ['String', null],
      ['Array(UInt8)', [1, 300]],
    ] as const) {
      const refusal = await scene().refusal({ sql: `SELECT {v:${type}} AS v`, parameters: { v: value } })
      expect(refusal.reason).toBe('sql_error')
      expect(refusal.message).toContain('The parameter v must be of the type')
    }
  })

  test('has its parameters bound by the engine, whatever they contain', async () => {
    const parameters = { n: 7, s: "it's \\ `x` -- ; DROP TABLE secrets\n\t", list: [1, 2], none: null }
    const sql = 'SELECT {n:UInt8} AS n, {s:String} AS s, {list:Array(UInt8)} AS list, {none:Nullable(String)} AS none'
    expect(JSON.parse(await scene().text({ sql, parameters, format: 'json' }))).toEqual([parameters])
    expect(await scene().text({ sql: 'SELECT count() AS n FROM {t:Identifier}', parameters: { t: 'secrets' } })).toBe(
      '{"n":"10"}\n',
    )
  })

  test.each(HARMLESS)('%s is allowed', async sql => {
    await expect(scene().read({ sql, format: 'json' })).resolves.toBeDefined()
  })
}
