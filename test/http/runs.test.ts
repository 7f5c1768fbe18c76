import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'
import { NOBODY, scenarios } from './scenario.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ settings: { 'shutdown-grace': '100ms' } })
})
afterAll(() => server?.stop())

/** A command that runs until it is stopped. */
const LONG = { command: 'exec sleep 600', grace_seconds: 0 }

const make = async (name: string, payload: readonly object[], more: object = {}): Promise<string> => {
  const made = await server.call('POST', '/v1/workflows', { name, payload, ...more })
  expect(made.status, JSON.stringify(made.body)).toBe(201)
  return made.body.workflow_id
}

const trigger = async (workflow: string, body?: object): Promise<string> => {
  const answer = await server.call('POST', `/v1/workflows/${workflow}/trigger`, body)
  expect(answer.status, JSON.stringify(answer.body)).toBe(201)
  return answer.body.run_id
}

const readRun = async (runId: string) => (await server.call('GET', `/v1/runs/${runId}`)).body

/** The run, once it has this status. */
const runIn = async (runId: string, status: string) => {
  return vi.waitFor(
    async () => {
      const run = await readRun(runId)
      expect(run.status).toBe(status)
      return run
    },
    { timeout: 30_000 },
  )
}

const jobsOf = async (runId: string, query = '') =>
  (await server.call('GET', `/v1/runs/${runId}/jobs${query}`)).body.jobs

/** Waits until that many items of the run are running. */
const working = (runId: string, count: number) =>
  expect.poll(async () => (await readRun(runId)).counts.running, { timeout: 30_000 }).toBe(count)

const once = { retry: { maximum_attempts: 1 } }

describe('a run', () => {
  test('is made by a trigger, and tells of its items and of the workflow as it was', async () => {
    const workflowId = await make('whole', [
      { command: 'true', name: 'a' },
      { command: 'true', name: 'b' },
    ])
    const answer = await server.call('POST', '/v1/workflows/whole/trigger')
    const { run_id: runId } = answer.body
    expect([answer.status, Object.keys(answer.body)]).toEqual([201, ['run_id', 'status']])
    expect(answer.headers.get('location')).toBe(`${server.url}/v1/runs/${runId}`)
    const run = await runIn(runId, 'completed')
    expect(run).toEqual({
      run_id: runId,
      workflow_id: workflowId,
      workflow_version: 1,
      trigger: 'manual',
      status: 'completed',
      status_reason: null,
      scheduled_at: null,
      created_at: expect.any(String),
      started_at: expect.any(String),
      finished_at: expect.any(String),
      max_concurrent_requests: 5,
      counts: { pending: 0, queued: 0, running: 0, completed: 2, failed: 0, cancelled: 0 },
      retry_of: null,
      snapshot: expect.objectContaining({ name: 'whole', payload: expect.any(Array) }),
    })
    const jobs = await jobsOf(runId)
    expect(jobs.map((job: { name: string }) => job.name).toSorted()).toEqual(['a', 'b'])
    for (const job of jobs) expect(job).toMatchObject({ run_id: runId, workflow_id: workflowId, trigger: 'manual' })
    expect((await server.call('GET', '/v1/workflows/whole')).body.last_run_at).toBe(run.started_at)
  })

  test('can be triggered for later', async () => {
    await make('later', [{ command: 'true' }])
    const scheduled_at = new Date(Date.now() + 3_600_000).toISOString()
    const runId = await trigger('later', { scheduled_at })
    expect(await readRun(runId)).toMatchObject({ status: 'pending', status_reason: 'scheduled', scheduled_at })
    const [job] = await jobsOf(runId)
    expect(job).toMatchObject({ status: 'pending', status_reason: 'run_pending' })
  })

  test('keeps its snapshot when the workflow changes', async () => {
    await make('changing', [LONG])
    const runId = await trigger('changing')
    await working(runId, 1)
    await server.call('PUT', '/v1/workflows/changing', { name: 'changing', payload: [{ command: 'echo new' }] })
    expect(await readRun(runId)).toMatchObject({ workflow_version: 1, snapshot: { payload: [LONG] } })
    expect((await server.call('DELETE', '/v1/workflows/changing')).body.code).toBe('workflow_active')
    await server.call('POST', '/v1/workflows/changing/pause')
    expect((await server.call('DELETE', '/v1/workflows/changing')).body.code).toBe('workflow_has_open_runs')
    await server.call('POST', `/v1/runs/${runId}/terminate`)
    await runIn(runId, 'terminated')
    expect((await server.call('DELETE', '/v1/workflows/changing')).status).toBe(204)
    expect(await readRun(runId)).toMatchObject({ status: 'terminated', status_reason: 'terminated_by_user' })
    expect(await jobsOf(runId)).toHaveLength(1)
  })

  test('that is paused starts no more items, and continues when it is resumed', async () => {
    await make('held', [LONG, { command: 'true' }], { configuration: { max_concurrent_requests: 1 } })
    const runId = await trigger('held')
    await working(runId, 1)
    const paused = await server.call('POST', `/v1/runs/${runId}/pause`)
    expect([paused.status, paused.body.status]).toEqual([200, 'pausing'])
    expect(paused.body).not.toHaveProperty('snapshot')
    expect((await server.call('POST', `/v1/runs/${runId}/pause`)).body.status).toBe('pausing')
    const [running] = await jobsOf(runId, '?status=running')
    await server.call('POST', `/v1/jobs/${running.job_id}/cancel`, { timeout_seconds: 0 })
    expect((await runIn(runId, 'paused')).counts).toMatchObject({ pending: 1, cancelled: 1 })
    expect((await jobsOf(runId, '?status=pending'))[0].status_reason).toBe('run_paused')
    expect((await server.call('POST', `/v1/runs/${runId}/resume`)).body.status).toBe('running')
    expect((await runIn(runId, 'completed')).counts).toMatchObject({ completed: 1, cancelled: 1 })
  })

  test('that is terminated stops its items, and terminating it again changes nothing', async () => {
    await make('stopped', [LONG, LONG, LONG], { configuration: { max_concurrent_requests: 2 } })
    const runId = await trigger('stopped')
    await working(runId, 2)
    const answer = await server.call('POST', `/v1/runs/${runId}/terminate`, { timeout_seconds: 0 })
    expect([answer.status, answer.body.status_reason]).toEqual([200, 'terminating'])
    expect((await runIn(runId, 'terminated')).counts).toMatchObject({ cancelled: 3 })
    const again = await server.call('POST', `/v1/runs/${runId}/terminate`)
    expect([again.status, again.body.status]).toEqual([200, 'terminated'])
  })

  test('that has ended can be neither paused nor resumed', async () => {
    await make('over', [{ command: 'true' }])
    const runId = await trigger('over')
    await runIn(runId, 'completed')
    for (const call of ['pause', 'resume'])
      expect((await server.call('POST', `/v1/runs/${runId}/${call}`)).body.code).toBe('run_ended')
    expect((await server.call('POST', `/v1/runs/${runId}/retry_failed`)).body.code).toBe('no_failed_items')
  })

  test('with failed items can be retried: those items, in a new run', async () => {
    await make('brittle', [
      { command: 'true', name: 'good', ...once },
      { command: 'exit 3', name: 'bad', ...once },
    ])
    const runId = await trigger('brittle')
    expect((await runIn(runId, 'failed')).status_reason).toBe('items_failed')
    const answer = await server.call('POST', `/v1/runs/${runId}/retry_failed`)
    expect(answer.status, JSON.stringify(answer.body)).toBe(201)
    expect(answer.headers.get('location')).toBe(`${server.url}/v1/runs/${answer.body.run_id}`)
    const again = await runIn(answer.body.run_id, 'failed')
    expect(again).toMatchObject({ retry_of: runId, trigger: 'manual', counts: { completed: 0, failed: 1 } })
    expect((await jobsOf(answer.body.run_id)).map((job: { name: string }) => job.name)).toEqual(['bad'])
    expect(await readRun(runId)).toMatchObject({ status: 'failed', counts: { completed: 1, failed: 1 } })
  })

  test('with failed items that were partly purged retries the rest, and says how many are gone', async () => {
    const bad = { command: 'exit 3', ...once }
    await make('decayed', [bad, { command: 'true' }, bad])
    const runId = await trigger('decayed')
    await runIn(runId, 'failed')
    const failed = (await jobsOf(runId)).filter((job: { status: string }) => job.status === 'failed')
    const retry = (key: string) =>
      server.call('POST', `/v1/runs/${runId}/retry_failed`, undefined, { 'idempotency-key': key })
    expect((await retry('all')).body).toMatchObject({ items_purged: 0 })
    await server.call('POST', `/v1/jobs/${failed[0].job_id}/purge`)
    const answer = await retry('some')
    expect([answer.status, answer.body.items_purged]).toEqual([201, 1])
    expect((await retry('some')).body).toEqual(answer.body)
    expect((await runIn(answer.body.run_id, 'failed')).counts).toMatchObject({ failed: 1, completed: 0 })
    await server.call('POST', `/v1/jobs/${failed[1].job_id}/purge`)
    const refused = await retry('none')
    expect([refused.status, refused.body.code]).toEqual([409, 'failed_items_purged'])
    expect(await readRun(runId)).toMatchObject({ counts: { failed: 2 } })
  })

  test('that is still running cannot be retried', async () => {
    await make('busy', [LONG])
    const runId = await trigger('busy')
    expect((await server.call('POST', `/v1/runs/${runId}/retry_failed`)).body.code).toBe('run_not_ended')
    await server.call('POST', '/v1/workflows/busy/terminate', { timeout_seconds: 0 })
    expect(await runIn(runId, 'terminated')).toMatchObject({ status_reason: 'workflow_terminated' })
  })
})

describe('a trigger with an Idempotency-Key', () => {
  const call = (workflow: string, key: string, body?: object) =>
    server.call('POST', `/v1/workflows/${workflow}/trigger`, body, { 'idempotency-key': key })

  test('creates one run, however often it is sent', async () => {
    const workflowId = await make('single', [{ command: 'true' }])
    const first = await call('single', 'once')
    const again = await call('single', 'once')
    expect([again.status, again.body]).toEqual([201, first.body])
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(again.headers.get('location')).toBe(first.headers.get('location'))
    const { body } = await server.call('GET', `/v1/runs?workflow_id=${workflowId}`)
    expect(body.runs).toHaveLength(1)
  })

  test('creates one run when it is sent twice at once', async () => {
    const workflowId = await make('race', [{ command: 'true' }])
    const answers = await Promise.all(Array.from({ length: 8 }, () => call('race', 'together')))
    const made = answers.filter(answer => answer.status === 201)
    expect(new Set(made.map(answer => answer.body.run_id)).size).toBe(1)
    for (const answer of answers) expect([201, 409]).toContain(answer.status)
    const { body } = await server.call('GET', `/v1/runs?workflow_id=${workflowId}`)
    expect(body.runs).toHaveLength(1)
  })

  test('is refused with another body', async () => {
    await make('other-body', [{ command: 'true' }])
    expect((await call('other-body', 'same')).status).toBe(201)
    expect((await call('other-body', 'same', { parameters: { a: 1 } })).body.code).toBe('idempotency_mismatch')
  })

  test('keeps a refusal', async () => {
    await make('asleep', [{ command: 'true' }])
    await server.call('POST', '/v1/workflows/asleep/pause')
    expect((await call('asleep', 'early')).body.code).toBe('workflow_paused')
    await server.call('POST', '/v1/workflows/asleep/resume')
    expect((await call('asleep', 'early')).body.code).toBe('workflow_paused')
    expect((await call('asleep', 'late')).status).toBe(201)
  })

  test('retries failed items in one new run', async () => {
    await make('fails-once', [{ command: 'false', ...once }])
    const runId = await trigger('fails-once')
    await runIn(runId, 'failed')
    const path = `/v1/runs/${runId}/retry_failed`
    const first = await server.call('POST', path, undefined, { 'idempotency-key': 'again' })
    const second = await server.call('POST', path, undefined, { 'idempotency-key': 'again' })
    expect([first.status, second.body]).toEqual([201, first.body])
  })
})

describe('the list of runs', () => {
  let workflowId: string
  let runs: string[]
  beforeAll(async () => {
    workflowId = await make('listed', [{ command: 'true' }])
    runs = []
    for (const _run of [1, 2, 3]) {
      runs.unshift(await trigger('listed'))
      // It ends in a later millisecond than it was created, and so is the next one created.
      await runIn(runs[0]!, 'completed')
    }
  })
  const ids = async (path: string) => {
    const { status, body } = await server.call('GET', path)
    expect(status, JSON.stringify(body)).toBe(200)
    return body.runs.map((run: { run_id: string }) => run.run_id)
  }

  test('is newest first, by name or id of the workflow, and has no snapshots', async () => {
    for (const path of ['/v1/runs?workflow=listed', `/v1/runs?workflow=${workflowId}`, '/v1/workflows/listed/runs'])
      expect(await ids(path)).toEqual(runs)
    const { body } = await server.call('GET', `/v1/runs?workflow_id=${workflowId}`)
    expect(body.runs[0]).not.toHaveProperty('snapshot')
    expect(body.runs[0].counts).toMatchObject({ completed: 1 })
  })

  test('is filtered by status, trigger and time', async () => {
    const list = `/v1/runs?workflow=listed`
    expect(await ids(`${list}&status=completed,failed&trigger=manual`)).toEqual(runs)
    expect(await ids(`${list}&status=running`)).toEqual([])
    expect(await ids(`${list}&trigger=automatic`)).toEqual([])
    const { created_at } = await readRun(runs[1]!)
    expect(await ids(`${list}&created_after=${created_at}`)).toEqual(runs.slice(0, 1))
    expect(await ids(`${list}&created_before=${created_at}`)).toEqual(runs.slice(2))
  })

  test('is empty for an unknown workflow, and for two different ones', async () => {
    expect(await ids('/v1/runs?workflow=nobody')).toEqual([])
    expect(await ids('/v1/runs?workflow_id=nobody')).toEqual([])
    expect(await ids(`/v1/runs?workflow=listed&workflow_id=${NOBODY}`)).toEqual([])
  })

  test('is paged', async () => {
    const { body: first } = await server.call('GET', '/v1/runs?workflow=listed&limit=2')
    const { body: rest } = await server.call('GET', `/v1/runs?workflow=listed&limit=2&cursor=${first.next_cursor}`)
    expect([...first.runs, ...rest.runs].map(run => run.run_id)).toEqual(runs)
    expect(rest.next_cursor).toBeNull()
  })

  test('is counted on request', async () => {
    const count = async (path: string) => (await server.call('GET', `${path}count=true`)).body.count
    expect(await count('/v1/runs?workflow=listed&limit=1&')).toBe(3)
    expect(await count('/v1/workflows/listed/runs?status=running&')).toBe(0)
    expect(await count('/v1/runs?workflow_id=nobody&')).toBe(0)
    expect((await server.call('GET', '/v1/runs?limit=1')).body).not.toHaveProperty('count')
  })

  test('of a workflow’s jobs has the items of all its runs', async () => {
    const { body } = await server.call('GET', '/v1/workflows/listed/jobs?status=completed&count=true')
    expect(body.count).toBe(3)
    expect(body.jobs.map((job: { run_id: string }) => job.run_id)).toEqual(runs)
  })
})

describe('a wrong call on a run is refused', () => {
  scenarios(
    () => server,
    [
      { name: 'reading a missing one', path: `/v1/runs/${NOBODY}`, status: 404, code: 'not_found' },
      { name: 'reading one with an invalid id', path: '/v1/runs/1', status: 404, code: 'not_found' },
      { name: 'jobs of a missing one', path: `/v1/runs/${NOBODY}/jobs`, status: 404, code: 'not_found' },
      { name: 'jobs of another run', path: `/v1/runs/${NOBODY}/jobs?run_id=x`, status: 422, fields: ['run_id'] },
      ...['pause', 'resume', 'terminate', 'retry_failed'].map(call => ({
        name: `${call} of one that is not there`,
        method: 'POST',
        path: `/v1/runs/${NOBODY}/${call}`,
        status: 404,
        code: 'not_found',
      })),
      { name: 'an invalid status', path: '/v1/runs?status=asleep', status: 422, fields: ['status.0'] },
      { name: 'an invalid time', path: '/v1/runs?created_after=now', status: 422, fields: ['created_after'] },
      { name: 'an invalid cursor', path: '/v1/runs?cursor=abc', status: 422, code: 'invalid_cursor' },
    ],
  )
})
