import { request } from 'node:http'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { longestBlockOf } from '../longest-block.ts'
import { startTestServer, type TestServer } from '../server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ settings: { 'max-workers': '2', 'query-rows': '200000' } })
})
afterAll(() => server?.stop())

const ask = (body: Record<string, unknown>, headers?: Record<string, string>) =>
  server.call('POST', '/v1/sql', body, headers)

const ENDLESS = 'SELECT count() FROM numbers(1000000000000000) WHERE sleep(1) = 0'
const running = async (): Promise<number> => {
  const sql = `SELECT query FROM system.processes WHERE query LIKE '%1000000000000000%' AND query NOT LIKE '%system.processes%'`
  return (await server.warehouse.rows({ workspace: 'default', sql })).length
}

test('a small query is answered at once as JSON, and leaves no job', async () => {
  const { status, body, headers } = await ask({ query: 'SELECT number AS n, toUInt64(5) AS five FROM numbers(2)' })
  expect(status).toBe(200)
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
  expect(body).toEqual([
    { n: '0', five: '5' },
    { n: '1', five: '5' },
  ])
  expect((await server.call('GET', '/v1/jobs')).body.jobs).toEqual([])
})

test('formats and parameters are as in a job', async () => {
  const query = 'SELECT {text:String} AS text'
  const csv = await ask({ query, parameters: { text: 'a "b"' }, format: 'csv' })
  expect(csv.body).toBe('"text"\n"a ""b"""\n')
  const response = await fetch(`${server.url}/v1/sql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, parameters: { text: 'x' }, format: 'arrow' }),
  })
  expect(response.headers.get('content-type')).toBe('application/vnd.apache.arrow.file')
  expect(tableFromIPC(new Uint8Array(await response.arrayBuffer())).numRows).toBe(1)
})

test.each(['json', 'ndjson', 'csv'] as const)('a string that is not UTF-8 is returned as %s', async format => {
  const response = await fetch(`${server.url}/v1/sql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: "SELECT unhex('61ff62') AS x", format }),
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  if (format === 'csv') expect(bytes.toString('latin1')).toBe('"x"\n"a\u00ffb"\n')
  else expect(new TextDecoder('utf-8', { fatal: true }).decode(bytes)).toContain('{"x":"a\uFFFDb"}')
})

test('a statement that is not a SELECT is refused as such, in every position', async () => {
  for (const [query, said] of [
    ['DELETE FROM events', /^This is not a query/],
    ['DELETE FROM events WHERE 1', /^Only a SELECT may run here, not DELETE\. A job of kind delete deletes rows\.$/],
    ['DROP TABLE events', /, not DROP\. DELETE \/v1\/datasources\/\{name\} drops a data source\.$/],
    ['DESCRIBE TABLE events', /, not DESCRIBE\. GET \/v1\/datasources\/\{name\} shows the columns\.$/],
    ['SHOW TABLES', /, not SHOW\. GET \/v1\/datasources lists the data sources\.$/],
    ['INSERT INTO events VALUES (1)', /, not INSERT\. Import the rows/],
    ['ALTER TABLE events ADD COLUMN x String', /, not ALTER\. PUT \/v1\/datasources\/\{name\} adds columns\.$/],
    ['SYSTEM SHUTDOWN', /^Only a SELECT may run here, not SYSTEM\.$/],
    ['SELECT 1 FORMAT CSV', /^Leave out FORMAT and INTO OUTFILE: the field format, or --format, chooses the format\.$/],
    ['(SELECT 1) FORMAT CSV', /^Leave out FORMAT/],
    ["SELECT 1 INTO OUTFILE '/tmp/x'", /^Leave out FORMAT/],
    ['events', /^This is not a query: a query starts with SELECT or WITH, such as SELECT \* FROM events\.$/],
    ['1 + 1', /^This is not a query/],
  ] as const) {
    const { status, body } = await ask({ query })
    expect([query, status, body.detail]).toEqual([query, 422, expect.stringMatching(said)])
  }
  expect((await ask({ query: 'SELECT coutn()' })).body.detail).toBe(
    'There is no function coutn. Maybe you meant count?',
  )
})

test('a function name as long as a statement is refused without blocking the server', async () => {
  const query = `SELECT ${'a'.repeat(200_000)}(1)`
  const block = await longestBlockOf(async () => expect((await ask({ query })).status).toBe(422))
  expect(block).toBeLessThan(1000)
})

test('a refusal does not repeat a whole name as long as a statement', async () => {
  const long = 'a'.repeat(100_000)
  for (const query of [
    `SELECT ${long}(1)`,
    `SELECT * FROM ${long}(1)`,
    `SELECT * FROM other.${long}`,
    `SELECT 1 IN system.${long}`,
    `WITH x -> x AS ${long} SELECT ${long}(1)`,
    `SELECT * FROM ${long}`,
    `SELECT ${long}`,
  ]) {
    const { status, body } = await ask({ query })
    expect([query.replace(long, '…'), status]).toEqual([query.replace(long, '…'), expect.any(Number)])
    if (status !== 200) expect(JSON.stringify(body).length).toBeLessThan(5000)
  }
  const { body } = await ask({ query: `SELECT ${long}(1)` })
  expect(body.detail).toBe(`There is no function ${'a'.repeat(100)}….`)
})

test('an unknown table is refused with a similar name that queries may read', async () => {
  expect((await ask({ query: 'SELECT * FROM nope' })).body.detail).not.toMatch(/Maybe/)
  await server.call('POST', '/v1/datasources', { name: 'sales', schema: 'n Int8' })
  expect((await ask({ query: 'SELECT * FROM sale' })).body.detail).toMatch(/ Maybe you meant sales\?$/)
})

test.each([
  ['SQL that does not parse', 'SELEC 1', 422, 'sql_error', /position 7/],
  ['an unknown table', 'SELECT * FROM nowhere', 422, 'sql_error', /nowhere/],
  ['a statement that is not a SELECT', 'CREATE TABLE x (a Int8) ENGINE = Memory', 422, 'sql_error', /SELECT/],
  [
    'a fault half-way',
    "SELECT if(number < 150000, '1', 'x')::UInt8 FROM numbers(200000)",
    422,
    'sql_error',
    /Cannot parse/,
  ],
  ['more than 10 MB', "SELECT repeat('x', 1000) AS x FROM numbers(20000)", 413, 'answer_too_large', /10 MB/],
  ['more rows than allowed', 'SELECT 1 FROM numbers(250000)', 422, 'query_rows', /./],
])('%s is refused', async (_, query, status, code, detail) => {
  const refused = await ask({ query })
  expect([refused.status, refused.body.code]).toEqual([status, code])
  expect(refused.body.detail).toMatch(detail)
})

test('a query that takes longer than 10 seconds is refused, with the alternative', async () => {
  const refused = await ask({ query: ENDLESS })
  expect([refused.status, refused.body.code]).toEqual([422, 'query_too_slow'])
  expect(refused.body.hint).toContain('POST /v1/jobs')
  await expect.poll(running, { timeout: 10_000 }).toBe(0)
})

test('a client that disconnects ends its query and makes room for others', async () => {
  const clients = [1, 2].map(() => {
    const client = request(`${server.url}/v1/sql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    })
    client.on('error', () => {})
    client.end(JSON.stringify({ query: ENDLESS }))
    return client
  })
  await expect.poll(running, { timeout: 10_000 }).toBe(2)
  const refused = await ask({ query: 'SELECT 1' })
  expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([503, 'unavailable', '1'])
  for (const client of clients) client.destroy()
  await expect.poll(running, { timeout: 10_000 }).toBe(0)
  await expect.poll(async () => (await ask({ query: 'SELECT 1' })).status, { timeout: 10_000 }).toBe(200)
})

test('an Idempotency-Key has no effect: the rows are read again', async () => {
  const headers = { 'idempotency-key': 'again' }
  const body = { query: 'SELECT rand64() AS random, generateUUIDv4() AS id', format: 'arrow' }
  const first = await ask(body, headers)
  const second = await ask(body, headers)
  expect([first.status, second.status]).toEqual([200, 200])
  expect(second.headers.get('idempotency-replayed')).toBeNull()
  expect(second.body).not.toBe(first.body)
})

test('it requires the scope to run queries', async () => {
  const { body: token } = await server.call('POST', '/v1/tokens', { name: 'commands', scopes: ['jobs:run:command'] })
  const refused = await ask({ query: 'SELECT 1' }, { authorization: `Bearer ${token.token}` })
  expect([refused.status, refused.body.code]).toEqual([403, 'forbidden'])
})
