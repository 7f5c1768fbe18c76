import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'
import { NOBODY, scenarios } from './scenario.ts'

let server: TestServer
let directory: string
let workflow = 0
let runId: string
let jobId: string
let token: string

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-extend-'))
  server = await startTestServer({ settings: { 'shutdown-grace': '100ms', 'max-run-items': '5' } })
})
afterAll(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

const readJob = async (id = jobId) => (await server.call('GET', `/v1/jobs/${id}`)).body
const readRun = async () => (await server.call('GET', `/v1/runs/${runId}`)).body

/** An item that runs until its file exists, and its own token. */
const startItem = async () => {
  workflow++
  const payload = [{ command: 'until [ -e "$DONE" ]; do sleep 0.02; done', environment: { DONE: doneFile() } }]
  await server.call('POST', '/v1/workflows', { name: `extends-${workflow}`, payload })
  runId = (await server.call('POST', `/v1/workflows/extends-${workflow}/trigger`)).body.run_id
  jobId = (await server.call('GET', `/v1/runs/${runId}/jobs`)).body.jobs[0].job_id
  await expect.poll(async () => (await readJob()).status, { timeout: 20_000 }).toBe('running')
  token = server.engine.jobTokens.issue(jobId, (await readJob()).attempt)
}

const doneFile = () => join(directory, String(workflow))
const complete = async () => {
  writeFileSync(doneFile(), '')
  await server.call('GET', `/v1/jobs/${jobId}?wait=30`)
}

const inside = (body: object, id = jobId) =>
  server.call('POST', `/v1/jobs/${id}/extend`, body, { authorization: `Bearer ${token}` })

describe('a running item', () => {
  beforeEach(startItem)
  afterEach(async () => {
    await server.call('POST', `/v1/runs/${runId}/terminate`, { timeout_seconds: 0 })
    await expect.poll(async () => (await readRun()).finished_at, { timeout: 20_000 }).not.toBeNull()
  })

  test('adds items to its run, which join when it completes', async () => {
    const payload = [
      { command: 'true', name: 'added' },
      { command: 'true', name: 'added' },
    ]
    expect((await inside({ payload })).status).toBe(204)
    expect((await readRun()).counts).toMatchObject({ pending: 0, running: 1, completed: 0 })
    await complete()
    await expect.poll(async () => (await readRun()).status, { timeout: 20_000 }).toBe('completed')
    expect((await readRun()).counts).toMatchObject({ completed: 3 })
    const { body } = await server.call('GET', `/v1/runs/${runId}/jobs?name=added`)
    expect(body.jobs).toHaveLength(2)
  })

  test('adds nothing with an empty list', async () => {
    expect((await inside({ payload: [] })).status).toBe(204)
    expect((await server.call('POST', `/v1/jobs/${jobId}/extend`, { payload: [] })).status).toBe(204)
    await complete()
    await expect.poll(async () => (await readRun()).status, { timeout: 20_000 }).toBe('completed')
    expect((await readRun()).counts).toMatchObject({ completed: 1 })
  })

  test('adds nothing if its attempt does not complete', async () => {
    expect((await inside({ payload: [{ command: 'true' }] })).status).toBe(204)
    await server.call('POST', `/v1/jobs/${jobId}/cancel`, { timeout_seconds: 0 })
    await expect.poll(async () => (await readRun()).status, { timeout: 20_000 }).toBe('terminated')
    expect((await readRun()).counts).toMatchObject({ completed: 0, cancelled: 1 })
  })

  test('restarts its timeout', async () => {
    expect((await inside({ timeout: true })).status).toBe(204)
    const { attempt } = await readJob()
    expect(await server.store.findTimeoutRestart({ jobId, attempt })).not.toBeNull()
  })

  test('gets invalid items refused, each with its path', async () => {
    const answer = await inside({
      payload: [{ command: 'true' }, { command: 1 }, { command: 'true', scheduled_at: 'x' }],
    })
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid'])
    const paths = answer.body.errors.map((error: { path: string }) => error.path)
    expect(paths).toEqual(['payload.1.command', 'payload.2.scheduled_at'])
  })

  test('cannot add more items than a run may have', async () => {
    const items = (count: number) => ({ payload: Array(count).fill({ command: 'true' }) })
    expect((await inside(items(5))).body).toMatchObject({ status: 422, code: 'too_many_items' })
    expect((await inside(items(4))).status).toBe(204)
    expect((await inside(items(1))).body).toMatchObject({ status: 422, code: 'too_many_items' })
  })

  test('cannot extend another job', async () => {
    const { body } = await server.call('POST', '/v1/jobs', { command: 'exec sleep 600' })
    await expect.poll(async () => (await readJob(body.job_id)).status, { timeout: 20_000 }).toBe('running')
    expect((await inside({ timeout: true }, body.job_id)).body).toMatchObject({ status: 404, code: 'not_found' })
    await server.call('POST', `/v1/jobs/${body.job_id}/cancel`, { timeout_seconds: 0 })
  })

  test('can be extended from outside by a token that may run the added items', async () => {
    const path = `/v1/jobs/${jobId}/extend`
    expect((await server.call('POST', path, { payload: [{ command: 'true' }], timeout: true })).status).toBe(204)
    const headersOf = async (...scopes: string[]) => {
      const made = await server.call('POST', '/v1/tokens', { name: 'w', scopes })
      return { authorization: `Bearer ${made.body.token}` }
    }
    // The item would get the secrets of a workflow that the token may not even read.
    const stranger = await headersOf('jobs:write', 'jobs:run:command')
    const strange = await server.call('POST', path, { payload: [{ command: 'true' }] }, stranger)
    expect([strange.status, strange.body.detail]).toEqual([403, expect.stringContaining('workflows:write')])
    const headers = await headersOf('jobs:write', 'jobs:run:query', 'workflows:write')
    const refused = await server.call('POST', path, { payload: [{ command: 'true' }] }, headers)
    expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('jobs:run:command')])
    expect((await server.call('POST', path, { timeout: true }, headers)).status).toBe(204)
    await complete()
    await expect.poll(async () => (await readRun()).counts.completed, { timeout: 20_000 }).toBe(2)
  })
})

describe('a wrong extension is refused', () => {
  const post = { method: 'POST', path: `/v1/jobs/${NOBODY}/extend` } as const
  scenarios(
    () => server,
    [
      { ...post, name: 'of a missing job', json: { timeout: true }, status: 404, code: 'not_found' },
      { ...post, name: 'by an empty body', json: {}, status: 422, code: 'invalid' },
      { ...post, name: 'by a payload that is not a list', json: { payload: {} }, status: 422, fields: ['payload'] },
      { ...post, name: 'by timeout: false', json: { timeout: false }, status: 422, fields: ['timeout'] },
      { ...post, name: 'by an unknown field', json: { time: 1 }, status: 422, fields: ['time'] },
      { ...post, name: 'without a body', status: 400, code: 'invalid_json' },
    ],
  )

  test('for a job that is not running or belongs to no run', async () => {
    const later = { command: 'true', scheduled_at: new Date(Date.now() + 3_600_000).toISOString() }
    const waiting = await server.call('POST', '/v1/jobs', later)
    const extend = (id: string) => server.call('POST', `/v1/jobs/${id}/extend`, { payload: [{ command: 'true' }] })
    expect((await extend(waiting.body.job_id)).body.code).toBe('job_not_running')
    const { body } = await server.call('POST', '/v1/jobs', { command: 'exec sleep 600' })
    await expect.poll(async () => (await readJob(body.job_id)).status, { timeout: 20_000 }).toBe('running')
    expect((await extend(body.job_id)).body.code).toBe('job_not_in_run')
    await server.call('POST', `/v1/jobs/${body.job_id}/cancel`, { timeout_seconds: 0 })
  })
})
