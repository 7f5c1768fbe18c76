import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'
import { createTestDatabase } from '../test-database.ts'
import { refuse, S3_KEYS } from './s3-server.ts'
import { type Faulty, startSwitchableS3 } from './switchable-s3.ts'

type Place = {
  readonly server: TestServer
  /** From now on the blob store refuses everything. */
  readonly goAway: () => void
  readonly comeBack: () => void
  /** The error of jobs while the store is away. */
  readonly message: RegExp
}

const functionsDir = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-functions-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  mkdirSync(join(directory, 'reports'))
  writeFileSync(
    join(directory, 'reports', 'careless.js'),
    'export default async (_, ctx) => { try { await ctx.artifact("a.txt", "text") } catch {} return "fine" }',
  )
  writeFileSync(join(directory, 'reports', 'large.js'), 'export default () => "x".repeat(100_000)')
  return directory
}

const onFiles = async (): Promise<Place> => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-blobs-'))
  const blobs = join(directory, 'blobs')
  const server = await startTestServer({ settings: { 'blob-url': `file://${blobs}`, 'functions-dir': functionsDir() } })
  onTestFinished(async () => {
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  })
  return {
    server,
    goAway: () => renameSync(blobs, `${blobs}-away`),
    comeBack: () => renameSync(`${blobs}-away`, blobs),
    message:
      /^The folder of blobs \S+ (is not the one that .*blobs\.id is not there\. Mount it, |does not take or give content \(ENOENT: .*mount it, or create it\.$)/,
  }
}

const onS3 = async (): Promise<Place & { readonly faultyWith: (fault: Faulty | null) => void }> => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', S3_KEYS.accessKeyId)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', S3_KEYS.secretAccessKey)
  const s3 = await startSwitchableS3('blobs')
  const server = await startTestServer({
    settings: {
      'blob-url': `s3://blobs/mill?endpoint=${encodeURIComponent(s3.endpoint)}`,
      'functions-dir': functionsDir(),
    },
  })
  onTestFinished(async () => {
    await server.stop()
    await s3.close()
    vi.unstubAllEnvs()
  })
  return {
    server,
    goAway: () => {
      s3.fault = (_, response) => refuse(response, 403, 'AccessDenied')
    },
    comeBack: () => {
      s3.fault = null
    },
    faultyWith: fault => {
      s3.fault = fault
    },
    message:
      /^The bucket blobs at http:\/\/127\.0\.0\.1:\d+ refuses \(AccessDenied, 403\)\. The keys of the server must be/,
  }
}

const LARGE_QUERY = { query: 'SELECT number, cityHash64(number) AS hash FROM numbers(100000)', format: 'csv' }
const sendRows = (server: TestServer) =>
  fetch(`${server.url}/v1/datasources/some/import?create=true`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'text/csv' },
    body: 'n\n1\n2\n',
  })

const CARELESS_FUNCTION = { api: 'reports/careless' }
const LARGE_FUNCTION = { api: 'reports/large' }
const COMMAND = { command: 'head -c 100000 /dev/urandom > large.bin', artifacts: ['*.bin'] }

describe.each([
  ['in files', onFiles],
  ['in S3', onS3],
])('while blobs %s are away', (_where, open) => {
  test('jobs with results or artifacts fail after three system attempts, with a message that says what to do', async () => {
    const { server, goAway, message } = await open()
    goAway()
    const jobs = await Promise.all([LARGE_QUERY, COMMAND, CARELESS_FUNCTION, LARGE_FUNCTION].map(server.run))
    for (const job of jobs) {
      expect(job).toMatchObject({ status: 'failed', status_reason: 'storage_unavailable', attempt: 3 })
      expect(job.error).toMatchObject({ code: 'storage_unavailable', message: expect.stringMatching(message) })
      expect(JSON.stringify(job)).not.toContain(S3_KEYS.secretAccessKey)
    }
  })

  test('jobs complete when a retry finds the blobs back; a job with restartable: false is not retried', async () => {
    const { server, goAway, comeBack } = await open()
    goAway()
    const bodies = [LARGE_QUERY, COMMAND, CARELESS_FUNCTION, LARGE_FUNCTION]
    const { jobs } = (await server.call('POST', '/v1/jobs/batch', { jobs: bodies })).body
    const read = async ({ job_id }: { job_id: string }) => (await server.call('GET', `/v1/jobs/${job_id}`)).body
    const waits = async () => (await Promise.all(jobs.map(read))).map(({ attempt, status }) => [attempt, status])
    // Between two attempts.
    await expect.poll(waits, { timeout: 30_000, interval: 20 }).toContainEqual([1, 'pending'])
    const once = await server.run({ ...COMMAND, restartable: false })
    expect(once).toMatchObject({ status: 'failed', status_reason: 'storage_unavailable', attempt: 1 })
    comeBack()
    for (const { job_id } of jobs)
      expect((await server.call('GET', `/v1/jobs/${job_id}?wait=60`)).body).toMatchObject({ status: 'completed' })
  })

  test('uploads and downloads answer 503 with the reason, /readyz reports it, and all works again afterwards', async () => {
    const { server, goAway, comeBack, message } = await open()
    const job = await server.run(COMMAND)
    const path = `/v1/jobs/${job.job_id}/artifacts`
    const [artifact] = (await server.call('GET', path)).body.artifacts
    const headers = { authorization: `Bearer ${server.token}` }
    const upload = async (bytes = 100_000) => {
      const form = new FormData()
      form.append('file', new Blob([Buffer.alloc(bytes)]), 'sent.bin')
      return fetch(server.url + path, { method: 'POST', headers, body: form })
    }
    const download = (method = 'GET') => fetch(`${server.url}${path}/${artifact.artifact_id}`, { method, headers })
    goAway()
    for (const response of [await upload(), await upload(30_000_000), await download()]) {
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
      for (const name of ['etag', 'content-disposition', 'last-modified']) expect(response.headers.get(name)).toBe(null)
      expect(await response.json()).toMatchObject({
        code: 'storage_unavailable',
        detail: expect.stringMatching(message),
      })
    }
    expect((await download('HEAD')).status).toBe(503)
    const sent = await sendRows(server)
    expect([sent.status, await sent.json()]).toEqual([503, expect.objectContaining({ code: 'storage_unavailable' })])
    await expect.poll(async () => (await server.call('GET', '/readyz')).status, { timeout: 20_000 }).toBe(503)
    const { parts } = (await server.call('GET', '/readyz')).body
    expect(parts.find((part: { part: string }) => part.part === 'blobs')).toMatchObject({
      status: 'unavailable',
      problems: [{ message: expect.stringMatching(message) }],
    })
    comeBack()
    expect((await upload()).status).toBe(201)
    expect((await (await download()).arrayBuffer()).byteLength).toBe(100_000)
    expect((await server.call('GET', '/readyz')).status).toBe(200)
  })
})

test('an import whose upload cannot be read is retried, and one whose upload cannot be removed completes', async () => {
  const { server, faultyWith } = await onS3()
  faultyWith(({ method }, response) => method === 'GET' && refuse(response, 503, 'SlowDown'))
  const unread = (await (await sendRows(server)).json()) as { job_id: string }
  const failed = (await server.call('GET', `/v1/jobs/${unread.job_id}?wait=60`)).body
  expect(failed).toMatchObject({ status: 'failed', status_reason: 'storage_unavailable', attempt: 3 })
  expect(failed.error.message).toContain('It is busy: wait.')
  faultyWith(({ method }, response) => method === 'DELETE' && refuse(response, 403, 'AccessDenied'))
  const read = (await (await sendRows(server)).json()) as { job_id: string }
  const completed = (await server.call('GET', `/v1/jobs/${read.job_id}?wait=60`)).body
  expect(completed).toMatchObject({ status: 'completed', attempt: 1 })
  expect(completed.statistics).toMatchObject({ rows_written: 2 })
})

test('an import whose upload has another length than stored fails with that reason and is not retried', async () => {
  const { server, faultyWith } = await onS3()
  faultyWith(({ method }, response) => {
    if (method === 'GET') response.end('n\n')
    return method === 'GET'
  })
  const sent = (await (await sendRows(server)).json()) as { job_id: string }
  const failed = (await server.call('GET', `/v1/jobs/${sent.job_id}?wait=60`)).body
  expect(failed).toMatchObject({ status: 'failed', status_reason: 'source_refused', attempt: 1 })
  expect(failed.error.message).toMatch(/ has 2 bytes, and had 6 when it was stored\. Send it again\.$/)
})

test('a server that starts before its folder is mounted reports it, writes nothing there, and works once it is mounted', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-blobs-'))
  const [blobs, dataDir] = [join(directory, 'blobs'), join(directory, 'data')]
  const start = () => startTestServer({ dataDir, settings: { 'blob-url': `file://${blobs}` } })
  const first = await start()
  const job = await first.run(COMMAND)
  await first.stop()
  renameSync(blobs, `${blobs}-away`)
  const server = await start()
  onTestFinished(async () => {
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  })
  const message = expect.stringMatching(
    /^The folder of blobs \S+ is not the one that .*blobs\.id is not there\. Mount it, /,
  )
  expect(server.problems).toContainEqual({ part: 'blobs', problems: [{ severity: 'unavailable', message }] })
  expect((await server.call('GET', '/readyz')).status).toBe(503)
  expect(await server.run(COMMAND)).toMatchObject({ status: 'failed', error: { code: 'storage_unavailable', message } })
  expect(readdirSync(blobs)).toEqual([])
  rmdirSync(blobs)
  renameSync(`${blobs}-away`, blobs)
  expect((await server.call('GET', '/readyz')).status).toBe(200)
  const path = `/v1/jobs/${job.job_id}/artifacts`
  const [artifact] = (await server.call('GET', path)).body.artifacts
  expect((await server.call('GET', `${path}/${artifact.artifact_id}`)).status).toBe(200)
  expect(await server.run(COMMAND)).toMatchObject({ status: 'completed' })
})

test('a server whose folder cannot be created does not start, and says why', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-blobs-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  writeFileSync(join(directory, 'file'), '')
  await expect(startTestServer({ settings: { 'blob-url': `file://${directory}/file/blobs` } })).rejects.toMatchObject({
    code: 'storage_unavailable',
    message: expect.stringMatching(/^The folder of blobs \S+ does not take or give content \(ENOTDIR: /),
  })
})

test('a worker with a new data directory at each start reports missing blobs, and runs jobs that need none', async () => {
  const database = await createTestDatabase()
  onTestFinished(() => database.drop())
  const settings = {
    'database-url': database.url,
    'secret-key': 'of all',
    'admin-token': 'the admin token of all servers',
  }
  const first = await startTestServer({ settings })
  await first.stop()
  const server = await startTestServer({ settings })
  onTestFinished(() => server.stop())
  const message = expect.stringMatching(
    /blobs\.id is not there\. Mount it, or name in MILLRACE_BLOB_URL the one that all /,
  )
  expect(server.problems).toContainEqual({ part: 'blobs', problems: [{ severity: 'unavailable', message }] })
  const job = await server.run({ command: 'seq 1000' })
  expect(job).toMatchObject({ status: 'completed' })
  expect((await server.call('GET', `/v1/jobs/${job.job_id}/logs?limit=1000`)).body.lines).toHaveLength(1000)
  expect(await server.run(COMMAND)).toMatchObject({ status: 'failed', error: { code: 'storage_unavailable', message } })
})
