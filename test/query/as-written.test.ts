import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server?.stop())

const ask = async (query: string, format = 'csv') => {
  const response = await fetch(`${server.url}/v1/sql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, format }),
  })
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) }
}

const csv = async (query: string): Promise<string> => {
  const { status, bytes } = await ask(query)
  expect([query, status, status === 200 ? '' : bytes.toString()]).toEqual([query, 200, ''])
  return bytes.toString('latin1')
}

const refusal = async (query: string, format: string): Promise<string> => {
  const { status, bytes } = await ask(query, format)
  expect([query, status]).toEqual([query, 422])
  return JSON.parse(bytes.toString()).detail
}

describe('bytes of a string that are not UTF-8', () => {
  test.each([
    ["'\\xFF\\xFE'", 'FFFE'],
    ["x'FF00'", 'FF00'],
    ["b'11111111'", 'FF'],
    ["'a\\xC3\\xA9\\xF0\\x9F'", '61C3A9F09F'],
    ["'\\\\xFF'", '5C784646'],
    ["'\\\\\\xFF'", '5CFF'],
    ['$$\\xFF$$', '5C784646'],
  ])('%s keep their values', async (literal, hex) => {
    expect(await csv(`SELECT hex(${literal}) AS x`)).toBe(`"x"\n"${hex}"\n`)
    expect(await csv(`SELECT ${literal} = unhex('${hex}') AS x`)).toBe('"x"\n1\n')
  })

  test('keep their values in a pipe, and in the condition of a delete', async () => {
    await server.call('POST', '/v1/datasources', { name: 'bytes', schema: [{ name: 'x', type: 'String' }] })
    const query = "SELECT unhex(arrayJoin(['FF', 'FE', 'EFBFBD'])) AS x"
    expect(await server.run({ query, datasource: 'bytes' })).toMatchObject({ status: 'completed' })
    const nodes = [{ name: 'one', sql: "SELECT x FROM bytes WHERE x = '\\xFE'" }]
    expect((await server.call('POST', '/v1/pipes', { name: 'fe', nodes })).status).toBe(201)
    expect(await csv('SELECT hex(x) AS x FROM fe')).toBe('"x"\n"FE"\n')
    const deleted = await server.run({ delete: { datasource: 'bytes', condition: "x = '\\xFF'" } })
    expect(deleted).toMatchObject({ status: 'completed' })
    expect(await csv('SELECT hex(x) AS x FROM bytes ORDER BY x')).toBe('"x"\n"EFBFBD"\n"FE"\n')
  })

  test('are refused in names', async () => {
    expect(await refusal('SELECT 1 AS `\\xFF`', 'csv')).toBe('A name in the SQL is not valid UTF-8: rename it.')
    expect(await refusal("SELECT '\\xFF'", 'arrow')).toMatch(/^A column name is not valid UTF-8/)
  })
})

test('U+2028 is allowed in a string and in a name', async () => {
  const { bytes } = await ask("SELECT 'a\u2028b' AS `c\u2029`, toDateTime(0, 'UTC') AS `d\u2028`", 'arrow')
  expect(tableFromIPC(bytes).get(0)!.toJSON()).toEqual({ 'c\u2029': 'a\u2028b', 'd\u2028': 0 })
})

describe('two columns with the same name', () => {
  const UNION = 'SELECT 1, 1 UNION ALL SELECT 5, 7'
  const ROWS = 'SELECT *, upper(s) AS s FROM (SELECT number AS n, char(97 + number) AS s FROM numbers(2))'

  test('have their own values', async () => {
    expect(await csv(UNION)).toBe('"1","1"\n1,1\n5,7\n')
    expect(await csv(ROWS)).toBe('"n","s","s"\n0,"a","A"\n1,"b","B"\n')
    expect((await ask(UNION, 'ndjson')).bytes.toString()).toBe('{"1":1,"1":1}\n{"1":5,"1":7}\n')
  })

  test('are refused if a pipe is read, where both would have the values of the first', async () => {
    await server.call('POST', '/v1/datasources', { name: 'letters', schema: [{ name: 's', type: 'String' }] })
    await server.run({ query: "SELECT 'a' AS s", datasource: 'letters' })
    const nodes = [{ name: 'one', sql: 'SELECT s FROM letters' }]
    await server.call('POST', '/v1/pipes', { name: 'lettering', nodes })
    const query = 'SELECT *, upper(s) AS s FROM (SELECT s FROM lettering)'
    for (const format of ['csv', 'json', 'arrow'])
      expect(await refusal(query, format)).toMatch(/^Two columns are called s, /)
    expect(await csv(query.replace('lettering', 'letters'))).toBe('"s","s"\n"a","A"\n')
    expect(await csv('SELECT *, upper(s) AS s FROM lettering')).toBe('"lettering.s","s"\n"a","A"\n')
  })

  test.each(['arrow', 'arrow_stream', 'parquet'])('are refused in %s', async format => {
    expect(await refusal(UNION, format)).toMatch(/^Two columns are called 1, /)
    expect(await refusal(ROWS, format)).toMatch(/^Two columns are called s, /)
    expect(await refusal("SELECT e, e FROM (SELECT CAST('a', 'Enum8(\\'a\\' = 1)') AS e)", format)).toMatch(
      /called e, /,
    )
  })
})

test('SQL that becomes longer when the engine prints and casts it can run', async () => {
  // Printed a line each, with the indentation of its depth.
  const deep = `${'SELECT * FROM ('.repeat(60)}SELECT ${'1,'.repeat(1_200)}2 AS x${')'.repeat(60)}`
  expect((await csv(`SELECT x FROM (${deep})`)).toString()).toBe('"x"\n2\n')
  const name = 'n'.repeat(100)
  const columns = Array.from({ length: 900 }, (_, index) => `toDateTime(${index}, 'UTC') AS ${name}${index}`)
  const table = tableFromIPC((await ask(`SELECT ${columns.join(', ')}`, 'arrow')).bytes)
  expect(table.schema.fields).toHaveLength(900)
  expect(table.getChildAt(899)!.get(0)).toBe(899_000)
})

test('parameters in lists are exact as strings, and refused as numbers that JSON rounds', async () => {
  const query =
    'SELECT {ids:Array(UInt64)} AS ids, {prices:Map(String, Decimal(38, 2))} AS prices, {pair:Tuple(Int64, String)} AS pair'
  const ids = ['9007199254740993', 18, '18446744073709551615']
  const parameters = { ids, prices: { a: '123456789012345678901234567890.12' }, pair: ['-9223372036854775808', "it's"] }
  const { body } = await server.call('POST', '/v1/sql', { query, parameters })
  expect(body).toEqual([
    { ids: ['9007199254740993', '18', '18446744073709551615'], prices: parameters.prices, pair: parameters.pair },
  ])
  const rounded = { ...parameters, ids: [Number('9007199254740993')] }
  for (const path of ['/v1/sql', '/v1/jobs']) {
    const { status, body: refused } = await server.call('POST', path, { query, parameters: rounded })
    expect([status, refused.errors]).toEqual([
      422,
      [{ path: 'parameters.ids', message: expect.stringMatching(/^must be a text/) }],
    ])
  }
})
