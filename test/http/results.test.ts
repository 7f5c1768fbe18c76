import { createHash } from 'node:crypto'
import { readdirSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import Type from 'typebox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Executor } from '../../src/executors/executor.ts'
import type { KindDefinition } from '../../src/executors/kind-definition.ts'
import type { ResultFormat } from '../../src/model/job.ts'
import { INLINE_RESULT_BYTES } from '../../src/model/outcome.ts'
import { startTestServer, type TestServer } from '../server.ts'
import { NOBODY, scenarios } from './scenario.ts'

/** A kind whose jobs leave the result that their body describes: a number of bytes in a format. */
const definition: KindDefinition = {
  kind: 'query',
  properties: { query: Type.String(), format: Type.String(), bytes: Type.Integer() },
  merges: { environment: false, parameters: false },
  secretMaps: [],
  timeout: { defaultMs: null, maximumMs: null },
}
type Spec = { readonly query: string; readonly format: ResultFormat; readonly bytes: number }

const contentOf = (bytes: number): Buffer => Buffer.from(Array.from({ length: bytes }, (_, index) => index % 251))

const executor: Executor = {
  kind: 'query',
  lane: 'default',
  run: async (job, context) => {
    const { query, format, bytes } = JSON.parse(job.spec) as Spec
    if (query === 'wait') await new Promise<void>(resolve => context.stop.onChange(resolve))
    if (context.stop.cause) return { type: 'stopped' }
    if (query === 'none') return { type: 'completed' }
    return { type: 'completed', result: await context.keepResult({ format, content: contentOf(bytes) }) }
  },
}

let server: TestServer
let small: Job
let large: Job
type Job = { readonly job_id: string; readonly result: Record<string, unknown> }

const run = (format: ResultFormat, bytes: number, query = 'make'): Promise<Job> => server.run({ query, format, bytes })
const LARGE = INLINE_RESULT_BYTES * 3 + 17

beforeAll(async () => {
  server = await startTestServer({ definitions: [definition], executors: [executor] })
  small = await run('csv', 1000)
  large = await run('parquet', LARGE)
})
afterAll(() => server?.stop())

const get = ({ job_id }: Pick<Job, 'job_id'>, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(`${server.url}/v1/jobs/${job_id}/result`, {
    method,
    headers: { authorization: `Bearer ${server.token}`, ...headers },
  })
const bytesOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer())
const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex')

describe('a result', () => {
  test.each([
    ['in the database', 1000, () => small],
    ['in a blob', LARGE, () => large],
  ])('%s is sent whole, with its hash as ETag', async (_where, bytes, job) => {
    const response = await get(job())
    const content = await bytesOf(response)
    expect(response.status).toBe(200)
    expect(content.equals(contentOf(bytes))).toBe(true)
    expect(response.headers.get('etag')).toBe(`"${sha256(content)}"`)
    expect(response.headers.get('content-length')).toBe(String(bytes))
    expect(job().result).toMatchObject({
      bytes,
      sha256: sha256(content),
      url: `${server.url}/v1/jobs/${job().job_id}/result`,
      expires_at: expect.any(String),
    })
  })

  test.each([
    ['bytes=0-0', 0, 0],
    ['bytes=10-19', 10, 19],
    ['bytes=990-', 990, 999],
    ['bytes=-5', 995, 999],
    ['bytes=0-99999', 0, 999],
  ])('is sent in part: %s', async (range, start, end) => {
    const response = await get(small, { range })
    expect(response.status).toBe(206)
    expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end}/1000`)
    expect((await bytesOf(response)).equals(contentOf(1000).subarray(start, end + 1))).toBe(true)
  })

  test('in a blob can be sent in part', async () => {
    const response = await get(large, { range: `bytes=${INLINE_RESULT_BYTES}-${INLINE_RESULT_BYTES + 9}` })
    expect(response.status).toBe(206)
    expect(
      (await bytesOf(response)).equals(contentOf(LARGE).subarray(INLINE_RESULT_BYTES, INLINE_RESULT_BYTES + 10)),
    ).toBe(true)
  })

  test('has no bytes beyond its end', async () => {
    const response = await get(small, { range: 'bytes=1000-' })
    expect([response.status, response.headers.get('content-range')]).toEqual([416, 'bytes */1000'])
    expect(await response.json()).toMatchObject({ code: 'range_not_satisfiable' })
  })

  test('is not sent again to a client that has it, and sent whole if the client’s part is of another', async () => {
    const tag = `"${sha256(contentOf(1000))}"`
    expect((await get(small, { 'if-none-match': tag })).status).toBe(304)
    expect((await get(small, { 'if-range': '"other"', range: 'bytes=0-1' })).status).toBe(200)
    expect((await get(small, { 'if-range': tag, range: 'bytes=0-1' })).status).toBe(206)
  })

  test('answers HEAD with its headers only', async () => {
    const response = await get(large, {}, 'HEAD')
    expect([response.status, response.headers.get('content-length')]).toEqual([200, String(LARGE)])
    expect(await bytesOf(response)).toHaveLength(0)
  })

  test('whose file is truncated is refused without delay', async () => {
    const { job_id } = await run('parquet', LARGE + 1)
    const [file] = readdirSync(join(server.dataDir, 'blobs'), { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name))
      .filter(path => statSync(path).size === LARGE + 1)
    truncateSync(file!, 100_000)
    for (const headers of [{}, { range: `bytes=${LARGE - 9}-` }]) {
      const response = await get({ job_id }, headers)
      expect([response.status, await response.json()]).toEqual([
        500,
        expect.objectContaining({ code: 'content_damaged' }),
      ])
    }
    expect((await get(large)).status).toBe(200)
  }, 10_000)

  test('may be empty', async () => {
    const response = await get(await run('ndjson', 0))
    expect([response.status, await response.text()]).toEqual([200, ''])
  })

  test.each([
    ['json', 'application/json; charset=utf-8', 'json'],
    ['ndjson', 'application/x-ndjson; charset=utf-8', 'ndjson'],
    ['ndjson_exact', 'application/x-ndjson; charset=utf-8', 'ndjson'],
    ['csv', 'text/csv; charset=utf-8; header=present', 'csv'],
    ['arrow', 'application/vnd.apache.arrow.file', 'arrow'],
    ['arrow_stream', 'application/vnd.apache.arrow.stream', 'arrows'],
    ['parquet', 'application/vnd.apache.parquet', 'parquet'],
  ] as const)('of format %s has the type %s', async (format, type, extension) => {
    const job = await run(format, 3)
    const response = await get(job)
    expect(response.headers.get('content-type')).toBe(type)
    expect(response.headers.get('content-disposition')).toContain(`"${job.job_id}.${extension}"`)
    expect(response.headers.get('content-security-policy')).toContain('sandbox')
  })

  test('does not exist before its job has ended, or if the job made none', async () => {
    const { body } = await server.call('POST', '/v1/jobs', { query: 'wait', format: 'csv', bytes: 1 })
    const path = `/v1/jobs/${body.job_id}/result`
    expect((await server.call('GET', path)).body).toMatchObject({ status: 409, code: 'not_finished' })
    await server.call('POST', `/v1/jobs/${body.job_id}/cancel`, { timeout_seconds: 0 })
    await server.call('GET', `/v1/jobs/${body.job_id}?wait=30`)
    expect((await server.call('GET', path)).body).toMatchObject({ status: 404, code: 'not_found' })
    const { job_id } = await run('csv', 1, 'none')
    expect((await server.call('GET', `/v1/jobs/${job_id}/result`)).body).toMatchObject({ status: 404 })
  })

  test('invariant 11: is invisible to another workspace', async () => {
    await server.call('POST', '/v1/workspaces', { name: 'curious' })
    const { body } = await server.call('POST', '/v1/tokens', { name: 'c', role: 'admin', workspace: 'curious' })
    const response = await get(small, { authorization: `Bearer ${body.token}` })
    expect(response.status).toBe(404)
  })

  scenarios(
    () => server,
    [
      { name: 'of no job', path: `/v1/jobs/${NOBODY}/result`, status: 404, code: 'not_found' },
      { name: 'with a query', path: `/v1/jobs/${NOBODY}/result?x=1`, status: 422, fields: ['x'] },
    ],
  )
})

test('an expired result is gone, and the answer says so', async () => {
  const clock = { offset: 0, now: () => Date.now() + clock.offset, monotonic: () => performance.now() }
  const own = await startTestServer({ definitions: [definition], executors: [executor], clock })
  try {
    const job = await own.run({ query: 'make', format: 'csv', bytes: 5 })
    const path = `/v1/jobs/${job.job_id}/result`
    expect((await own.call('GET', path)).status).toBe(200)
    clock.offset = 25 * 3_600_000
    expect((await own.call('GET', path)).body).toMatchObject({ status: 410, code: 'result_expired' })
    expect((await own.call('GET', `/v1/jobs/${job.job_id}`)).body).toMatchObject({ status: 'completed' })
  } finally {
    await own.stop()
  }
})
