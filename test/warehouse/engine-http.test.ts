import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import type { ClickHouseClient } from '@clickhouse/client'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EngineAddress } from '../../src/warehouse/embedded/embedded-engines.ts'
import { call, open, openClient, openTestEngines, residentBytes, until } from './engine-call.ts'

const { engines, close } = openTestEngines()
let address: EngineAddress
let client: ClickHouseClient

beforeAll(async () => {
  address = await engines.address('w')
  client = openClient(address)
})
afterAll(async () => {
  await client.close()
  await close()
})

const rowsOf = async (query: string, query_params: Record<string, unknown> = {}): Promise<unknown[]> =>
  (await client.query({ query, query_params, format: 'JSONEachRow' })).json()

const ENDLESS = 'SELECT count() FROM numbers(1000000000000)'

describe('@clickhouse/client on the socket of an embedded engine', () => {
  it('pings', async () => {
    expect(await client.ping()).toEqual({ success: true })
  })

  it('binds parameters of every type', async () => {
    const values = { text: `a'b"c\\d\te\nf\u0000é`, number: 7, list: ['x', "y'z"], nothing: null, map: { k: 'v' } }
    const sql =
      'SELECT {text:String} AS text, {number:UInt8} AS number, {list:Array(String)} AS list, {nothing:Nullable(String)} AS nothing, {map:Map(String, String)} AS map'
    expect(await rowsOf(sql, values)).toEqual([values])
  })

  it('applies settings to a single statement', async () => {
    const set = await client.query({
      query: "SELECT getSetting('max_threads') AS n",
      clickhouse_settings: { max_threads: 1 },
      format: 'JSONEachRow',
    })
    expect(await set.json()).toEqual([{ n: 1 }])
    expect(await rowsOf("SELECT getSetting('max_threads') = 1 AS n")).not.toEqual([{ n: true }])
  })

  it('refuses an unknown setting', async () => {
    const answer = await call(address, 'SELECT 1', { no_such_setting: '1' })
    expect(answer).toMatchObject({ status: 404, body: expect.stringContaining('no_such_setting') })
  })

  it('refuses changes in a readonly statement', async () => {
    const command = client.command({
      query: 'CREATE TABLE nope (a UInt8) ENGINE = Memory',
      clickhouse_settings: { readonly: '1' },
    })
    await expect(command).rejects.toMatchObject({ type: 'READONLY' })
    const answer = await call(address, 'SELECT number FROM numbers(2)', { readonly: '1', param_x: '1' })
    expect(answer.body).toBe('0\n1\n')
  })

  it('creates a table, inserts objects and reads them', async () => {
    await client.command({ query: 'CREATE TABLE people (id UInt64, name String) ENGINE = MergeTree ORDER BY id' })
    const { summary } = await client.insert({
      table: 'people',
      values: [
        { id: 1, name: "o'hara" },
        { id: 2, name: 'ü' },
      ],
      format: 'JSONEachRow',
    })
    expect(summary?.written_rows).toBe('2')
    expect(await rowsOf('SELECT * FROM people ORDER BY id')).toEqual([
      { id: 1, name: "o'hara" },
      { id: 2, name: 'ü' },
    ])
  })

  it('inserts rows transformed by the statement with exec', async () => {
    await client.command({ query: 'CREATE TABLE doubled (n UInt64) ENGINE = MergeTree ORDER BY n' })
    const { stream } = await client.exec({
      query: "INSERT INTO doubled SELECT a * 2 FROM input('a UInt64') FORMAT CSV",
      values: Readable.from(['1\n', '2\n'], { objectMode: false }),
    })
    stream.resume()
    await until('the rows are there', async () => (await rowsOf('SELECT n FROM doubled')).length === 2)
    expect(await rowsOf('SELECT n FROM doubled ORDER BY n')).toEqual([{ n: 2 }, { n: 4 }])
  })

  it('compresses in both directions on request', async () => {
    const compressing = openClient(address, { compression: { request: true, response: true } })
    try {
      await compressing.command({ query: 'CREATE TABLE squeezed (a UInt64) ENGINE = MergeTree ORDER BY a' })
      const values = Array.from({ length: 50_000 }, (_, a) => ({ a }))
      await compressing.insert({ table: 'squeezed', values, format: 'JSONEachRow' })
      const rows = await compressing.query({
        query: 'SELECT sum(a) AS s, count() AS n FROM squeezed',
        format: 'JSONEachRow',
      })
      expect(await rows.json()).toEqual([{ s: 1249975000, n: 50000 }])
    } finally {
      await compressing.close()
    }
  })

  it('reports an error by number and name', async () => {
    await expect(rowsOf('SELECT * FROM no_such_table')).rejects.toMatchObject({ code: '60', type: 'UNKNOWN_TABLE' })
    await expect(rowsOf('SELEC 1')).rejects.toMatchObject({ code: '62', type: 'SYNTAX_ERROR' })
    await expect(rowsOf('SELECT {missing:String}')).rejects.toMatchObject({ type: 'UNKNOWN_QUERY_PARAMETER' })
  })
})

describe('the HTTP interface of an embedded engine', () => {
  it('returns the query id, the format and a summary', async () => {
    const answer = await call(address, 'SELECT number FROM numbers(3) FORMAT CSV', { query_id: 'named-1' })
    expect(answer.headers).toMatchObject({ 'x-clickhouse-query-id': 'named-1', 'x-clickhouse-format': 'CSV' })
    expect(JSON.parse(String(answer.trailers['x-clickhouse-summary']))).toMatchObject({ result_rows: '3' })
  })

  it('uses the default format if the statement has none', async () => {
    expect(
      (await call(address, "SELECT 1 AS a, 'x' AS b -- no FORMAT here", { default_format: 'JSONEachRow' })).body,
    ).toBe('{"a":1,"b":"x"}\n')
  })

  it.each(['Arrow', 'ArrowStream', 'Parquet', 'CSVWithNames', 'JSONEachRow', 'JSON'])('writes %s', async format => {
    const answer = await open(
      address,
      `SELECT number AS n, toString(number) AS t FROM numbers(1000) FORMAT ${format}`,
      {
        output_format_arrow_compression_method: 'none',
      },
    )
    const chunks: Buffer[] = []
    for await (const chunk of answer) chunks.push(chunk as Buffer)
    const content = Buffer.concat(chunks)
    if (format.startsWith('Arrow')) expect(tableFromIPC(content).numRows).toBe(1000)
    else if (format === 'Parquet') expect(content.subarray(-4).toString()).toBe('PAR1')
    else expect(content.toString()).toContain('999')
  })

  it('sends nothing before the end with wait_end_of_query', async () => {
    const sql = 'SELECT throwIf(number = 3000000), number FROM numbers(10000000)'
    const failed = await call(address, sql, { wait_end_of_query: '1' })
    expect(failed.status).toBe(500)
    expect(failed.body).toMatch(/^Code: 395\. DB::Exception: /)
    const whole = await call(address, 'SELECT 1', { wait_end_of_query: '1' })
    expect(JSON.parse(String(whole.headers['x-clickhouse-summary']))).toMatchObject({ result_rows: '1' })
  })

  it('counts what each of several statements has read, with one look between two of them', async () => {
    const waiting = { wait_end_of_query: '1' }
    const readOf = async (rows: number): Promise<number> => {
      const { headers } = await call(address, `SELECT sum(number) FROM numbers(${rows})`, waiting)
      return Number(JSON.parse(String(headers['x-clickhouse-summary'])).read_rows)
    }
    for (const rows of [1000, 7, 300_000, 1]) expect(await readOf(rows)).toBe(rows)
    const begun = async () =>
      Number((await call(address, "SELECT value FROM system.events WHERE event = 'SelectQuery'", waiting)).body)
    // The second statement itself, and the look before it, after the first.
    const first = await begun()
    expect((await begun()) - first).toBe(2)
    // A statement that nobody waits for runs in between; what it reads must not be counted for another.
    await call(address, 'SELECT sum(number) FROM numbers(5000)')
    expect(await readOf(11)).toBe(11)
  })

  it('refuses several statements in one request', async () => {
    const answer = await call(address, 'SELECT 1; CREATE TABLE pwned (a UInt8) ENGINE = Memory')
    expect(answer).toMatchObject({ status: 400, body: expect.stringContaining('Multi-statements') })
    expect((await call(address, 'EXISTS TABLE live.pwned')).body).toBe('0\n')
    expect((await call(address, "SELECT ';' AS a; -- that was all")).body).toBe(';\n')
  })

  it('refuses a query id in use', async () => {
    const first = call(address, 'SELECT sleep(1)', { query_id: 'twice' })
    await until('the first runs', () => isRunning('twice'))
    expect((await call(address, 'SELECT 1', { query_id: 'twice' })).headers['x-clickhouse-exception-code']).toBe('216')
    expect((await first).body).toBe('0\n')
  })

  it('accepts a compressed statement', async () => {
    const answer = await open(address, [gzipSync('SELECT 42')], {}, { 'content-encoding': 'gzip' })
    expect(await text(answer)).toBe('42\n')
  })

  it('runs statements concurrently', async () => {
    const ids = Array.from({ length: 8 }, (_, index) => `beside-${index}`)
    const all = Promise.all(ids.map(id => call(address, ENDLESS, { query_id: id, max_threads: '1' })))
    const beside = "SELECT 1 FROM system.processes WHERE query_id LIKE 'beside-%'"
    await until('all of them run at once', async () => (await rowsOf(beside)).length === ids.length)
    await client.command({ query: "KILL QUERY WHERE query_id LIKE 'beside-%' ASYNC" })
    for (const { headers } of await all) expect(headers['x-clickhouse-exception-code']).toBe('394')
  })
})

describe('an exception in the middle of a response', () => {
  const HALF = 'SELECT throwIf(number = 3000000), number FROM numbers(10000000)'

  it.each(['CSVWithNames', 'JSONEachRow', 'Arrow'])('breaks off %s after the exception', async format => {
    const answer = await open(address, `${HALF} FORMAT ${format}`)
    expect(answer.statusCode).toBe(200)
    const tag = String(answer.headers['x-clickhouse-exception-tag'])
    let last = ''
    const read = async () => {
      for await (const chunk of answer) last = (last + (chunk as Buffer).toString('latin1')).slice(-10_000)
    }
    await expect(read()).rejects.toThrow(/aborted/)
    expect(answer.complete).toBe(false)
    expect(last).toContain(`__exception__\r\n${tag}\r\nCode: 395. DB::Exception: `)
  })

  it('is an error for the client', async () => {
    const result = await client.query({ query: HALF, format: 'JSONEachRow' })
    const read = async () => {
      for await (const rows of result.stream()) expect(rows.length).toBeGreaterThan(0)
    }
    await expect(read()).rejects.toThrow()
  })

  it('does not affect the next statement', async () => {
    expect((await call(address, 'SELECT 5')).body).toBe('5\n')
  })
})

const isRunning = async (queryId: string): Promise<boolean> =>
  (await rowsOf('SELECT 1 AS runs FROM system.processes WHERE query_id = {queryId:String}', { queryId })).length === 1

describe('long-running statements', () => {
  it('show their progress, and end when they are killed', async () => {
    const running = call(address, ENDLESS, { query_id: 'endless-1' })
    await until('it has read', async () => {
      const rows = (await rowsOf(
        "SELECT read_rows, total_rows_approx FROM system.processes WHERE query_id = 'endless-1'",
      )) as { read_rows: string; total_rows_approx: string }[]
      return Number(rows[0]?.read_rows ?? 0) > 0 && Number(rows[0]?.total_rows_approx) === 1e12
    })
    await client.command({ query: 'KILL QUERY WHERE query_id = {id:String} ASYNC', query_params: { id: 'endless-1' } })
    const answer = await running
    expect(answer.headers['x-clickhouse-exception-code']).toBe('394')
  })

  it('end when their client disconnects', async () => {
    const leaving = new AbortController()
    const running = client
      .query({ query: ENDLESS, query_id: 'endless-2', abort_signal: leaving.signal })
      .catch(() => 'gone')
    await until('it runs', () => isRunning('endless-2'))
    leaving.abort()
    expect(await running).toBe('gone')
    await until('it has ended', async () => !(await isRunning('endless-2')), 5000)
  })

  it('end when their client stops reading and disconnects', async () => {
    const answer = await open(address, 'SELECT number FROM numbers(1000000000000)', { query_id: 'endless-3' })
    answer.destroy()
    await until('it has ended', async () => !(await isRunning('endless-3')), 5000)
  })

  it('end with an error at their limits', async () => {
    const slow = await call(address, ENDLESS, { max_execution_time: '0.5' })
    expect(slow.headers['x-clickhouse-exception-code']).toBe('159')
    const large = await call(address, 'SELECT groupArray(number) FROM numbers(100000000)', {
      max_memory_usage: '10000000',
    })
    expect(large.headers['x-clickhouse-exception-code']).toBe('241')
  })
})

describe('memory', () => {
  it('does not grow with a result of a gigabyte', async () => {
    const answer = await open(address, `SELECT number, number FROM numbers(${2 ** 26}) FORMAT RowBinary`)
    const before = residentBytes()
    let bytes = 0
    let most = 0
    for await (const chunk of answer) {
      bytes += (chunk as Buffer).length
      if (bytes % 64 === 0) most = Math.max(most, residentBytes())
    }
    expect(bytes).toBe(2 ** 30)
    expect(most - before).toBeLessThan(128 * 2 ** 20)
  })

  it('does not grow with an insert of a gigabyte', async () => {
    await call(address, 'CREATE TABLE live.large (a UInt64, b FixedString(248)) ENGINE = MergeTree ORDER BY a')
    const part = Buffer.alloc(2 ** 20, 'x')
    const parts = function* () {
      for (let n = 0; n < 1024; n++) yield part
    }
    const before = residentBytes()
    const answer = await open(address, parts(), { query: 'INSERT INTO live.large FORMAT RowBinary' })
    await text(answer)
    expect(answer.statusCode).toBe(200)
    expect(residentBytes() - before).toBeLessThan(128 * 2 ** 20)
    expect((await call(address, 'SELECT count() FROM live.large')).body).toBe(`${2 ** 22}\n`)
    await call(address, 'DROP TABLE live.large SYNC')
  })

  it('is bounded on a round trip, which returns the same rows', async () => {
    const content = Buffer.alloc(8 * 2 ** 20)
    for (let n = 0; n < content.length / 8; n++) content.writeBigUInt64LE(BigInt(n), n * 8)
    await call(address, 'CREATE TABLE live.numbers (n UInt64) ENGINE = MergeTree ORDER BY n')
    await text(await open(address, [content], { query: 'INSERT INTO live.numbers FORMAT RowBinary' }))
    const hash = createHash('sha256')
    for await (const chunk of await open(address, 'SELECT n FROM live.numbers ORDER BY n FORMAT RowBinary'))
      hash.update(chunk)
    expect(hash.digest('hex')).toBe(createHash('sha256').update(content).digest('hex'))
  })
})

describe('an insert', () => {
  beforeAll(() => call(address, 'CREATE TABLE live.target (a UInt64) ENGINE = MergeTree ORDER BY a'))

  const lines = function* (count: number, last: string) {
    for (let n = 0; n < count; n++) yield Buffer.from(`${n}\n`.repeat(1000))
    yield Buffer.from(last)
  }

  it.each([10, 2000])('with an invalid row names it, after %i thousand rows', async count => {
    const answer = await open(address, lines(count, 'not a number\n'), { query: 'INSERT INTO live.target FORMAT CSV' })
    expect(answer.statusCode).toBe(400)
    expect(await text(answer)).toMatch(/^Code: (27|72|117)\. DB::Exception: [\s\S]*at row/)
  })

  it('into a missing table fails before its rows are read', async () => {
    const answer = await open(address, lines(5000, ''), { query: 'INSERT INTO live.nowhere FORMAT CSV' })
    expect(answer.statusCode).toBe(404)
    answer.resume()
  })

  it('without rows succeeds', async () => {
    const answer = await open(address, '', { query: 'INSERT INTO live.target FORMAT JSONEachRow' })
    expect(answer.statusCode).toBe(200)
    expect(await text(answer)).toBe('')
  })

  it('whose client breaks off half-way fails', async () => {
    const half = async function* () {
      yield* lines(2000, '')
      throw new Error('the client dies')
    }
    const parameters = { query: 'INSERT INTO live.target FORMAT CSV', query_id: 'half' }
    await expect(open(address, half(), parameters)).rejects.toThrow('the client dies')
    await until('it has ended', async () => !(await isRunning('half')))
    const { body } = await call(address, 'SELECT max(a) FROM live.target')
    expect(Number(body)).toBeLessThan(1999)
  })
})
