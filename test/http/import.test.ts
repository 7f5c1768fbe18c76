import { hash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { importDefinition } from '../../src/executors/import/definition.ts'
import { startTestServer, type TestServer } from '../server.ts'

let server: TestServer
beforeAll(async () => {
  // No worker runs them: these tests are about how content gets to its job.
  const settings = { 'max-upload-bytes': '2MiB' }
  server = await startTestServer({ definitions: [importDefinition], executors: [], settings })
  expect((await server.call('POST', '/v1/datasources', { name: 'rows', schema: 'n UInt8' })).status).toBe(201)
})
afterAll(() => server?.stop())

const PATH = '/v1/datasources/rows/import'
const hashOf = (content: string | Uint8Array): string => hash('sha256', content)

/** Answers are JSON of any shape; what a test reads of them, it asserts. */
type Answer = Awaited<ReturnType<TestServer['call']>>['body']
type Sent = {
  readonly path?: string
  readonly body: NonNullable<RequestInit['body']>
  readonly headers?: Record<string, string>
}

const send = async ({ path = PATH, body, headers }: Sent): Promise<Awaited<ReturnType<TestServer['call']>>> => {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, ...headers },
    body,
    ...(body instanceof ReadableStream && { duplex: 'half' }),
  } as RequestInit)
  return { status: response.status, body: (await response.json()) as Answer, headers: response.headers }
}

const jobOf = async (jobId: string) => (await server.call('GET', `/v1/jobs/${jobId}`)).body
const keptBlobs = (): number =>
  readdirSync(join(server.dataDir, 'blobs'), { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
    .length

test('an impossible name of a data source is refused with the rules for names', async () => {
  const { status, body } = await send({ path: '/v1/datasources/my-data/import?create=true', body: 'n\n1\n' })
  expect([status, body.detail]).toEqual([
    404,
    'There is no data source "my-data": names are of letters, digits and "_", 128 at most.',
  ])
})

describe('uploaded content', () => {
  test('is stored whole, and a job is created to import it', async () => {
    const content = 'n\n1\n2\n'
    const { status, body, headers } = await send({
      path: `${PATH}?mode=replace&header=true&max_bad_rows=10&name=mine&timeout_seconds=60.5&delimiter=%09`,
      body: content,
      headers: { 'content-type': 'text/csv; charset=utf-8' },
    })
    expect([status, body]).toEqual([
      201,
      {
        job_id: expect.any(String),
        status: 'queued',
        created_at: expect.any(String),
        content: { bytes: 6, sha256: hashOf(content) },
      },
    ])
    expect(headers.get('location')).toBe(`${server.url}/v1/jobs/${body.job_id}`)
    const { kind, name, spec } = await jobOf(body.job_id)
    expect([kind, name, spec.timeout_seconds]).toEqual(['import', 'mine', 60.5])
    expect(spec.import).toEqual({
      datasource: 'rows',
      url: expect.stringMatching(/^upload:[0-9a-f]{32}\.6\./),
      format: 'csv',
      mode: 'replace',
      header: true,
      delimiter: '\t',
      max_bad_rows: 10,
    })
  })

  test.each([
    ['application/json', 'ndjson', '{"n": 1}\n'],
    ['application/x-ndjson', undefined, '{"n": 1}\n'],
    ['application/x-www-form-urlencoded', 'csv', 'n\n1\n'],
    ['application/octet-stream', 'csv', new Uint8Array([0, 255, 1])],
  ])('is stored as bytes, whatever its type: %s', async (type, format, content) => {
    const query = format === undefined ? '' : `?format=${format}`
    const { status, body } = await send({ path: PATH + query, body: content, headers: { 'content-type': type } })
    expect([status, body.content?.sha256]).toEqual([201, hashOf(content)])
    expect((await jobOf(body.job_id)).spec.import.format).toBe(format ?? 'ndjson')
  })

  test.each([
    ['text/csv; header=absent; charset="ISO-8859-1"', '', 'ISO-8859-1'],
    ['application/x-ndjson;charset=shift_jis', '', 'shift_jis'],
    ['text/csv; charset=utf-16', '?encoding=utf-16be', 'utf-16be'],
    ['text/csv; charset=UTF-8', '', undefined],
    ['application/vnd.apache.parquet; charset=binary', '', undefined],
  ])('has the charset of its type %s or of its query %j', async (type, query, encoding) => {
    const { status, body } = await send({ path: PATH + query, body: 'n', headers: { 'content-type': type } })
    expect([status, (await jobOf(body.job_id)).spec.import.encoding]).toEqual([201, encoding])
  })

  test('may be JSON', async () => {
    const { body } = await send({ body: '[{"n":7}]', headers: { 'content-type': 'application/json' } })
    expect((await jobOf(body.job_id)).spec.import.format).toBe('ndjson')
  })

  test('of an unknown charset is refused', async () => {
    const { status, body } = await send({ body: 'n\n1\n', headers: { 'content-type': 'text/csv; charset=ebcdic' } })
    expect([status, body.errors[0]]).toMatchObject([422, { path: 'encoding' }])
  })

  test('may be compressed with a Content-Encoding', async () => {
    const { body } = await send({ body: gzipSync('n\n1\n'), headers: { 'content-encoding': 'gzip' } })
    expect((await jobOf(body.job_id)).spec.import.compression).toBe('gzip')
    const refused = await send({ body: 'x', headers: { 'content-encoding': 'br' } })
    expect([refused.status, refused.body.code]).toEqual([415, 'unsupported_media_type'])
  })

  test('may be the only file of a form', async () => {
    const form = new FormData()
    form.set('file', new Blob(['n\n7\n']), 'rows.csv')
    const { status, body } = await send({ path: `${PATH}?format=csv`, body: form })
    expect([status, body.content]).toEqual([201, { bytes: 4, sha256: hashOf('n\n7\n') }])
  })

  test.each([
    ['rows.ndjson', 'application/octet-stream', '', 'ndjson'],
    ['ROWS.Parquet', '', '', 'parquet'],
    ['rows.jsonl.gz', 'application/gzip', '', 'ndjson'],
    ['rows', 'application/x-ndjson', '', 'ndjson'],
    ['rows.json', '', '', 'ndjson'],
    ['rows', 'application/json', '', 'ndjson'],
    ['rows.txt', 'text/csv', '', 'csv'],
    ['rows.ndjson', '', '?format=csv', 'csv'],
    ['rows', '', '', undefined],
  ])(
    'sent as the file %j of a form, of the type %j, with the query %j, has the format %j',
    async (file, type, query, format) => {
      const form = new FormData()
      form.set('file', new Blob(['n'], { type }), file)
      const { status, body } = await send({ path: PATH + query, body: form })
      expect([status, (await jobOf(body.job_id)).spec.import.format]).toEqual([201, format])
    },
  )

  test.each([
    ['a field', (form: FormData) => form.set('text', 'x'), 422],
    ['another part', (form: FormData) => form.set('data', new Blob(['x'])), 422],
    ['nothing', () => {}, 422],
    [
      'two files',
      (form: FormData) => {
        form.append('file', new Blob(['1']))
        form.append('file', new Blob(['2']))
      },
      422,
    ],
  ])('is refused as a form of %s', async (_name, fill, status) => {
    const before = keptBlobs()
    const form = new FormData()
    fill(form)
    expect((await send({ body: form })).status).toBe(status)
    expect(keptBlobs()).toBe(before)
  })

  test('may be empty, which is left to the job', async () => {
    expect((await server.call('POST', PATH)).body.content).toEqual({ bytes: 0, sha256: hashOf('') })
  })
})

describe('a request is refused before its content is stored:', () => {
  test.each([
    ['/v1/datasources/nowhere/import', 404, 'not_found'],
    ['/v1/datasources/a-b/import?create=true', 404, 'not_found'],
    [`${PATH}?format=xml`, 422, 'invalid'],
    [`${PATH}?delimiter=ab`, 422, 'invalid'],
    [`${PATH}?max_bad_rows=many`, 422, 'invalid'],
    [`${PATH}?timeout_seconds=0`, 422, 'invalid'],
    [`${PATH}?url=x`, 422, 'invalid'],
  ])('%s', async (path, status, code) => {
    const before = keptBlobs()
    const refused = await send({ path, body: 'n\n1\n' })
    expect([refused.status, refused.body.code]).toEqual([status, code])
    expect(keptBlobs()).toBe(before)
  })

  test('a wrong value, reported by the name of its parameter', async () => {
    const { body } = await send({ path: `${PATH}?delimiter=ab`, body: '' })
    expect(body.errors).toMatchObject([{ path: 'delimiter' }])
  })

  test('more content than the server accepts', async () => {
    const before = keptBlobs()
    const large = new Uint8Array(3 * 1024 * 1024)
    const refused = await send({ body: large })
    expect([refused.status, refused.body.code]).toEqual([413, 'too_large'])
    const streamed = await send({ body: new Blob([large]).stream() })
    expect([streamed.status, streamed.body.code]).toEqual([413, 'too_large'])
    const form = new FormData()
    form.set('file', new Blob([large]))
    const sent = await send({ body: form })
    expect([sent.status, sent.body.code]).toEqual([413, 'too_large'])
    expect(keptBlobs()).toBe(before)
  })

  test('a body that breaks off, which leaves nothing', async () => {
    const before = keptBlobs()
    const client = request(`${server.url}${PATH}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.token}`, 'content-length': '1000' },
    })
    client.on('error', () => {})
    client.write('n\n1\n')
    await expect.poll(keptBlobs).toBe(before + 1)
    client.destroy()
    await expect.poll(keptBlobs, { timeout: 10_000 }).toBe(before)
  })

  test('unless only the data source to be created is missing', async () => {
    const { status, body } = await send({ path: '/v1/datasources/made_new/import?create=true', body: 'n\n1\n' })
    expect(status).toBe(201)
    expect((await jobOf(body.job_id)).spec.import).toMatchObject({ datasource: 'made_new', create: true })
  })

  test('a token that may not import', async () => {
    const { body } = await server.call('POST', '/v1/tokens', { name: 'reads', role: 'reader' })
    const refused = await send({ body: 'n\n1\n', headers: { authorization: `Bearer ${body.token}` } })
    expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('jobs:run:import')])
  })
})

test('content sent again with its Idempotency-Key makes one job, and other content is refused', async () => {
  const headers = { 'idempotency-key': 'import-once' }
  const first = await send({ body: 'n\n1\n', headers })
  const blobs = keptBlobs()
  const again = await send({ body: 'n\n1\n', headers })
  expect([again.status, again.body]).toEqual([201, first.body])
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  expect(again.headers.get('location')).toBe(first.headers.get('location'))
  const other = await send({ body: 'n\n2\n', headers })
  expect([other.status, other.body.code]).toEqual([409, 'idempotency_mismatch'])
  expect(keptBlobs()).toBe(blobs)
})
