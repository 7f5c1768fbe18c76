import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'
import { startImpatient } from './impatient-server.ts'

let server: TestServer
let site: Server
let siteUrl: string
const pages = new Map<string, RequestListener>()

beforeAll(async () => {
  server = await startTestServer({ settings: { 'allow-private-addresses': '127.0.0.1' } })
  site = createServer((request, response) => {
    const page = pages.get(request.url!)
    if (page === undefined) response.writeHead(404).end()
    else page(request, response)
  })
  site.listen(0, '127.0.0.1')
  await once(site, 'listening')
  siteUrl = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
})
afterAll(async () => {
  site.closeAllConnections()
  site.close()
  await server?.stop()
})

/** The URL at which the site has this. */
const give = (path: string, content: string | Uint8Array | RequestListener): string => {
  pages.set(path, typeof content === 'function' ? content : (_, response) => void response.end(content))
  return `${siteUrl}${path}`
}

const infer = (body: object, token = server.token) =>
  server.call('POST', '/v1/datasources/infer', body, { authorization: `Bearer ${token}` })

const inferSent = async (content: string | Uint8Array, query = '', headers: Record<string, string> = {}) => {
  const response = await fetch(`${server.url}/v1/datasources/infer${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/octet-stream', ...headers },
    body: content as string,
  })
  // biome-ignore lint/suspicious/noExplicitAny: an answer of any shape, as those of server.call
  return { status: response.status, body: (await response.json()) as any }
}

const CSV = 'day,code,amount,seen\n2026-11-01,007,1.5,true\n2026-11-02,008,,false\n'
const NDJSON = '{"user":{"id":7},"tags":["a"],"note":null}\n{"user":{"id":8},"tags":[],"note":"x"}\n'

const columnsOf = ({ schema }: { schema: readonly { name: string; type: string; json_path: string | null }[] }) =>
  schema.map(({ name, type, json_path }) => [name, type, ...(json_path === null ? [] : [json_path])])

const dataSources = async () => (await server.call('GET', '/v1/datasources?count=true')).body.count

/** The schema of a data source that an import of the same content creates. */
const imported = async (name: string, url: string) => {
  const job = await server.run({ import: { datasource: name, url, create: true } })
  expect(job.status, JSON.stringify(job.error)).toBe('completed')
  const { body } = await server.call('GET', `/v1/datasources/${name}`)
  return { schema: body.schema, engine: body.engine, sorting_key: body.sorting_key, format: body.format }
}

const parquet = async (): Promise<Uint8Array> => {
  const query = "SELECT number AS id, 'row ' || toString(number) AS name, toDate('2026-11-22') AS day FROM numbers(20)"
  const job = await server.run({ query, format: 'parquet' })
  const response = await fetch(job.result.url, { headers: { authorization: `Bearer ${server.token}` } })
  return new Uint8Array(await response.arrayBuffer())
}

describe('the schema of content at a URL', () => {
  test('is guessed from CSV, with its first rows, as an import would', async () => {
    const url = give('/sales.csv', CSV)
    const { status, body } = await infer({ url })
    expect(status, JSON.stringify(body)).toBe(200)
    expect(columnsOf(body)).toEqual([
      ['day', 'Date'],
      ['code', 'String'],
      ['amount', 'Nullable(Float64)'],
      ['seen', 'Bool'],
    ])
    expect(body).toMatchObject({
      engine: 'MergeTree',
      sorting_key: null,
      format: 'csv',
      header: true,
      delimiter: ',',
      whole: true,
    })
    expect(body.bytes_read).toBe(CSV.length)
    expect(body.rows[1]).toEqual({ day: '2026-11-02', code: '008', amount: '', seen: 'false' })
    expect(await dataSources()).toBe(0)
    expect(body).toMatchObject(await imported('sales', url))
  })

  test('leaves out lines that are to be skipped, as an import would', async () => {
    const { body } = await inferSent(`"Sales\n\n${CSV}`, '?skip_lines=2')
    const { body: plain } = await inferSent(CSV)
    expect(body).toEqual(plain)
    const url = give('/titled.csv', `"Sales\n\n${CSV}`)
    expect((await infer({ url, skip_lines: 2 })).body.rows).toEqual(plain.rows)
    const job = await server.run({ import: { datasource: 'titled', url, create: true, skip_lines: 2 } })
    expect(job.statistics).toMatchObject({ rows_written: 2, invalid_lines: 0, header: true })
    const { body: unread } = await inferSent('Sales of November\nday,amount\n2026-11-01,1\n', '?header=true')
    expect(unread.detail).toContain('skip_lines for lines above them')
  })

  test('leaves out a line that names the delimiter, given or not, as an import would', async () => {
    const lines = CSV.replaceAll(',', ';')
    const url = give('/excel.csv', `sep=;\r\n${lines}`)
    const { body } = await infer({ url })
    const { body: plain } = await infer({ url: give('/plain.csv', lines), delimiter: ';' })
    expect(body.schema).toHaveLength(4)
    expect([body.schema, body.rows, body.header]).toEqual([plain.schema, plain.rows, plain.header])
    const { body: guessed } = await infer({ url: give('/guessed.csv', lines) })
    expect(guessed).toEqual(plain)
    expect([body.delimiter, plain.delimiter, guessed.delimiter]).toEqual([';', ';', ';'])
    expect((await infer({ url, delimiter: ';' })).body.rows).toEqual(plain.rows)
    expect(body).toMatchObject(await imported('excel', url))
    const { status, body: refused } = await infer({ url: give('/unfit.csv', `sep=U\n${CSV}`) })
    expect([status, refused.code]).toEqual([422, 'content_unreadable'])
  })

  test('is only text without type guessing', async () => {
    const { body } = await infer({ url: give('/text.csv', CSV), type_guessing: false })
    expect(new Set(body.schema.map((column: { type: string }) => column.type))).toEqual(new Set(['String']))
  })

  test('has paths into the objects of NDJSON', async () => {
    const url = give('/events.ndjson', NDJSON)
    const { body } = await infer({ url })
    expect(columnsOf(body)).toEqual([
      ['user_id', 'Int64', '$.user.id'],
      ['tags', 'Array(String)'],
      ['note', 'Nullable(String)'],
    ])
    expect(body).toMatchObject({ format: 'ndjson', header: null })
    expect(body.rows).toEqual([
      { user_id: 7, tags: ['a'], note: null },
      { user_id: 8, tags: [], note: 'x' },
    ])
    expect(body).toMatchObject(await imported('events', url))
  })

  test.each([
    ['array', (objects: object[]) => JSON.stringify(objects, null, 2)],
    ['objects', (objects: object[]) => objects.map(each => JSON.stringify(each, null, 2)).join('\n')],
    ['result', (data: object[]) => JSON.stringify({ meta: [{ name: 'note', type: 'String' }], data }, null, 2)],
  ])('is the same for JSON as for its rows as NDJSON: %s', async (name, write) => {
    const objects = NDJSON.trim().split('\n')
    const url = give('/events.json', write(objects.map(line => JSON.parse(line))))
    const { body } = await infer({ url })
    const { body: lines } = await infer({ url: give('/events.ndjson', NDJSON) })
    const { bytes_read: _, ...rest } = lines
    expect(body).toMatchObject(rest)
    expect(body).toMatchObject(await imported(`from_${name}`, url))
  })

  test('has different names for two paths with the same name, and reads both', async () => {
    const url = give('/twice.ndjson', '{"a":{"b":1},"a_b":2}\n')
    const { body } = await infer({ url })
    expect(columnsOf(body)).toEqual([
      ['a_b', 'Int64', '$.a.b'],
      ['a_b_', 'Int64', '$.a_b'],
    ])
    expect(body.rows).toEqual([{ a_b: 1, a_b_: 2 }])
    await imported('twice', url)
    const { body: rows } = await server.call('POST', '/v1/sql', { query: 'SELECT * FROM twice' })
    expect(rows).toEqual([{ a_b: '1', a_b_: '2' }])
  })

  test.each([
    ['/cut.ndjson', '{\n  "a": 1\n', /no end/],
    ['/broken.ndjson', '{"a": 1,\n', /one object per line/],
    ['/long.ndjson', `{"a":"${'x'.repeat(2 ** 21)}"}\n`, /first row has more than 1 MiB.*jq/],
    ['/open.csv', `"a,b\n${'1,2\n'.repeat(2 ** 19)}`, /first row has more than 1 MiB.*quote/],
  ])('is not guessed from %s, which is recognized', async (path, content, detail) => {
    const { status, body } = await infer({ url: give(path, content) })
    expect([status, body.code]).toEqual([422, 'content_unreadable'])
    expect(body.detail).toMatch(detail)
  })

  test('is read from the footer of Parquet', async () => {
    const url = give('/rows.parquet', await parquet())
    const { status, body } = await infer({ url })
    expect(status, JSON.stringify(body)).toBe(200)
    expect(columnsOf(body).map(([name]) => name)).toEqual(['id', 'name', 'day'])
    expect(body).toMatchObject({ format: 'parquet', header: null, whole: true })
    expect(body.rows).toHaveLength(10)
    expect(body.rows[9]).toMatchObject({ id: '9', name: 'row 9', day: '2026-11-22' })
    expect(body).toMatchObject(await imported('rows', url))
  })

  test('comes from the first MiB of long content, and the rest is not fetched', async () => {
    let sent = 0
    const url = give('/long.csv', (_request, response) => {
      const more = (): void => {
        while (sent < 512 * 1024 * 1024 && response.write('1,2,3\n'.repeat(10_000))) sent += 60_000
        response.once('drain', more)
      }
      more()
    })
    const { body } = await infer({ url })
    expect(body).toMatchObject({ whole: false, bytes_read: 1024 * 1024, header: false })
    expect(columnsOf(body)).toEqual([0, 1, 2].map(index => [`column_${index}`, 'Int64']))
    expect(sent).toBeLessThan(64 * 1024 * 1024)
  })
})

describe('the schema of uploaded content', () => {
  test('is inferred by its Content-Type, and compressed content is decoded', async () => {
    const { body } = await inferSent(gzipSync(NDJSON), '', { 'content-type': 'application/x-ndjson' })
    expect(columnsOf(body)[0]).toEqual(['user_id', 'Int64', '$.user.id'])
  })

  test('takes the options of an import from the query', async () => {
    const { body } = await inferSent('1;a\r2;b\r', '?delimiter=%3B&header=false')
    expect(body.rows).toEqual([
      { column_0: '1', column_1: 'a' },
      { column_0: '2', column_1: 'b' },
    ])
  })

  test('of Parquet needs the whole file', async () => {
    const content = await parquet()
    expect((await inferSent(content, '?format=parquet')).body.rows).toHaveLength(10)
    const cut = await inferSent(content.subarray(0, content.length / 2), '?format=parquet')
    expect([cut.status, cut.body.code]).toEqual([422, 'content_unreadable'])
  })

  test('is answered even if more content is sent than is used', async () => {
    const { status, body } = await inferSent('1,2\n'.repeat(1_000_000))
    expect([status, body.whole]).toEqual([200, false])
  })
})

describe('what cannot be inferred is refused:', () => {
  const url = (content: string) => give(`/${content.length}`, content)

  test.each([
    ['an empty content', () => ({ url: url('') }), 422, 'content_unreadable'],
    ['a page of HTML', () => ({ url: url('<!doctype html><p>hello') }), 422, 'content_unreadable'],
    ['columns that no table can have', () => ({ url: url('a,a\n1,2\n'), header: true }), 422, 'schema_mismatch'],
    ['nothing at the address', () => ({ url: `${siteUrl}/nothing` }), 422, 'source_refused'],
    ['a server that is down', () => ({ url: 'http://127.0.0.1:9/' }), 502, 'connection_failed'],
    ['an address that is not allowed', () => ({ url: 'http://10.0.0.1/' }), 422, 'address_refused'],
    ['a file of the server', () => ({ url: 'file:///etc/passwd' }), 422, 'source_refused'],
    ['an invalid upload', () => ({ url: `upload:${'0'.repeat(32)}.0.${'A'.repeat(43)}` }), 422, 'source_refused'],
    ['no URL', () => ({ format: 'csv' }), 422, 'invalid'],
    ['an invalid URL', () => ({ url: 'nonsense' }), 422, 'invalid'],
    ['options of another format', () => ({ url: `${siteUrl}/x`, format: 'ndjson', quote: "'" }), 422, 'invalid'],
    [
      'fields of an import that inferring does not take',
      () => ({ url: `${siteUrl}/x`, mode: 'replace' }),
      422,
      'invalid',
    ],
  ] as const)('%s', async (_name, make, status, code) => {
    const answer = await infer(make())
    expect([answer.status, answer.body.code], JSON.stringify(answer.body)).toEqual([status, code])
    if (code === 'invalid') expect(answer.body.errors[0].path).not.toContain('import')
  })

  test('a token that may not import', async () => {
    const { body } = await server.call('POST', '/v1/tokens', { name: 'reads', role: 'reader' })
    const refused = await infer({ url: `${siteUrl}/x` }, body.token)
    expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('jobs:run:import')])
  })

  test('a source that stalls, or a client that stops sending, after a timeout', async () => {
    const { app, port } = await startImpatient(server, { inferMs: 500 })
    const ask = (init: RequestInit) =>
      fetch(`http://127.0.0.1:${port}/v1/datasources/infer`, {
        method: 'POST',
        ...init,
        headers: { authorization: `Bearer ${server.token}`, ...init.headers },
      })
    const closed = Promise.withResolvers<void>()
    const stalled = give('/stalled.csv', (request, response) => {
      response.write('a,b\n1,2\n')
      request.socket.once('close', () => closed.resolve())
    })
    const headers = { 'content-type': 'application/json' }
    const answer = await ask({ headers, body: JSON.stringify({ url: stalled }) })
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([422, 'content_too_slow'])
    await closed.promise
    const silent = new ReadableStream({ start: stream => stream.enqueue(Buffer.from('a,b\n')) })
    const sent = await ask({ body: silent, duplex: 'half' } as RequestInit)
    expect([sent.status, ((await sent.json()) as { code: string }).code]).toEqual([422, 'content_too_slow'])
    await app.close()
  })

  test('is aborted when its client disconnects', async () => {
    const [asked, closed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const stalled = give('/left.csv', (request, response) => {
      response.write('a,b\n')
      request.socket.once('close', () => closed.resolve())
      asked.resolve()
    })
    const leaving = new AbortController()
    const answer = fetch(`${server.url}/v1/datasources/infer`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ url: stalled }),
      signal: leaving.signal,
    })
    await asked.promise
    leaving.abort()
    await expect(answer).rejects.toThrow()
    await closed.promise
  })
})
