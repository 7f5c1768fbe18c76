import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'
import { NOBODY } from './scenario.ts'

type Job = { job_id: string; name: string; status: string }

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server?.stop())

const LATER = new Date(Date.now() + 3_600_000).toISOString()
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const submit = async (body: object): Promise<string> => {
  const answer = await server.call('POST', '/v1/jobs', body)
  expect(answer.status, JSON.stringify(answer.body)).toBe(201)
  return answer.body.job_id
}
const names = (body: { jobs: Job[] }): string[] => body.jobs.map(job => job.name)

describe('submitting', () => {
  test('returns the id, the status, the time and the location of the job', async () => {
    const answer = await server.call('POST', '/v1/jobs', { command: 'true' })
    expect(answer.status).toBe(201)
    expect(answer.body).toEqual({
      job_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      status: 'queued',
      created_at: expect.stringMatching(TIME),
    })
    expect(answer.headers.get('location')).toBe(`${server.url}/v1/jobs/${answer.body.job_id}`)
    expect((await fetch(answer.headers.get('location')!, { headers: bearer() })).status).toBe(200)
  })

  test('accepts the body in Zatabase’s document as it stands', async () => {
    const job = await server.run({
      name: 'nightly-export',
      command: 'echo "$OUTPUT_DIR"; pwd',
      working_dir: '/tmp',
      environment: { OUTPUT_DIR: '/tmp/exports', ZATABASE_TOKEN: 'zt-1234567890' },
      timeout_seconds: 3600,
    })
    expect(job).toMatchObject({ status: 'completed', exit_code: 0, name: 'nightly-export', kind: 'command' })
    const { body } = await server.call('GET', `/v1/jobs/${job.job_id}/logs`)
    expect(body.lines.map((line: { line: string }) => line.line)).toEqual(['/tmp/exports', '/tmp'])
  })

  test('10,000 jobs in one batch are all stored in order', async () => {
    const jobs = Array.from({ length: 10_000 }, (_, i) => ({ command: 'true', name: `b${i}`, scheduled_at: LATER }))
    const answer = await server.call('POST', '/v1/jobs/batch', { jobs })
    expect(answer.status).toBe(201)
    expect(answer.body.jobs).toHaveLength(10_000)
    expect(answer.body.jobs[9_999]).toEqual({ job_id: expect.any(String), status: 'pending' })
    const last = await server.call('GET', `/v1/jobs/${answer.body.jobs[9_999].job_id}`)
    expect(last.body.name).toBe('b9999')
    const all = await server.call('POST', '/v1/jobs/cancel?name=b')
    expect(all.body).toEqual({ cancelled: 10_000, cancelling: 0 })
  })
})

describe('a job', () => {
  test('is shown with every field of the API and no other', async () => {
    const job = await server.run({ command: 'exit 3', name: 'n', labels: { team: 'data' }, queue: 'q', priority: 5 })
    expect(Object.keys(job).toSorted()).toEqual(FIELDS)
    expect(job).toMatchObject({
      kind: 'command',
      name: 'n',
      labels: { team: 'data' },
      status: 'failed',
      status_reason: 'exit_code',
      error: { code: 'exit_code', message: expect.any(String) },
      trigger: 'manual',
      queue: 'q',
      priority: 5,
      attempt: 1,
      maximum_attempts: 1,
      system_attempts: 0,
      worker_id: server.engine.workerId,
      is_cancellable: false,
      exit_code: 3,
      signal: null,
      result: null,
      spec: { command: 'exit 3', name: 'n' },
    })
    for (const name of ['created_at', 'queued_at', 'started_at', 'finished_at', 'updated_at'])
      expect(job[name]).toMatch(TIME)
  })

  test('never shows a secret', async () => {
    const job = await server.run({
      command: 'true',
      environment: { API_TOKEN: 'hunter2-hunter2', PLAIN: 'x' },
    })
    expect(job.spec.environment).toEqual({ API_TOKEN: '***', PLAIN: 'x' })
    expect(JSON.stringify(job)).not.toContain('hunter2')
  })

  test('that is waiting can be cancelled, and shows it', async () => {
    const id = await submit({ command: 'true', scheduled_at: LATER })
    const { body } = await server.call('GET', `/v1/jobs/${id}`)
    expect(body).toMatchObject({
      status: 'pending',
      status_reason: 'scheduled',
      is_cancellable: true,
      scheduled_at: LATER,
    })
    await server.call('DELETE', `/v1/jobs/${id}`)
  })

  test('that does not exist is not found by any route', async () => {
    for (const path of ['', '/logs', '/attempts', '/artifacts', '/result', `/artifacts/${NOBODY}`]) {
      const answer = await server.call('GET', `/v1/jobs/${NOBODY}${path}`)
      expect([answer.status, answer.body.code]).toEqual([404, 'not_found'])
    }
  })

  test('of kind command has no result', async () => {
    const job = await server.run({ command: 'true' })
    const answer = await server.call('GET', `/v1/jobs/${job.job_id}/result`)
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found'])
    expect(answer.body.detail).toBe(`The job ${job.job_id} has no result: its kind has none, or it has not completed.`)
  })

  test('has its attempts', async () => {
    const job = await server.run({ command: 'exit 1', retry: { maximum_attempts: 2 } })
    const { body } = await server.call('GET', `/v1/jobs/${job.job_id}/attempts`)
    expect(body.attempts).toHaveLength(2)
    expect(body.attempts[0]).toEqual({
      attempt: 1,
      worker_id: server.engine.workerId,
      started_at: expect.stringMatching(TIME),
      finished_at: expect.stringMatching(TIME),
      outcome: 'failed',
      reason: 'exit_code',
      message: expect.any(String),
      exit_code: 1,
      signal: null,
      statistics: null,
    })
    expect(body.attempts[1]).toMatchObject({ attempt: 2, outcome: 'failed' })
  })

  test('HEAD answers as GET without the body', async () => {
    const id = await submit({ command: 'true' })
    const answer = await fetch(`${server.url}/v1/jobs/${id}`, { method: 'HEAD', headers: bearer() })
    expect([answer.status, await answer.text()]).toEqual([200, ''])
  })
})

describe('waiting', () => {
  test('answers as soon as the job has ended', async () => {
    const id = await submit({ command: 'sleep 0.3' })
    const { body } = await server.call('GET', `/v1/jobs/${id}?wait=60`)
    expect(body.status).toBe('completed')
  })

  test('answers with the current job when the time is over', async () => {
    const id = await submit({ command: 'true', scheduled_at: LATER })
    const { body } = await server.call('GET', `/v1/jobs/${id}?wait=1`)
    expect(body.status).toBe('pending')
    await server.call('DELETE', `/v1/jobs/${id}`)
  })
})

describe('cancelling', () => {
  test('a waiting job cancels it at once', async () => {
    const id = await submit({ command: 'true', scheduled_at: LATER })
    const answer = await server.call('POST', `/v1/jobs/${id}/cancel`)
    expect(answer).toMatchObject({ status: 200, body: { status: 'cancelled', status_reason: 'cancelled_by_user' } })
  })

  test('a running job stops it, repeats the same answer, and is a conflict once it has ended', async () => {
    const id = await submit({ command: 'trap "" TERM; echo ready; sleep 600 & wait; sleep 600' })
    const lines = async () => (await server.call('GET', `/v1/jobs/${id}/logs`)).body.lines.length
    await expect.poll(lines, { timeout: 20_000 }).toBe(1)
    const first = await server.call('POST', `/v1/jobs/${id}/cancel`, { timeout_seconds: 600 })
    expect(first).toMatchObject({ status: 200, body: { status: 'cancelling', is_cancellable: false } })
    const second = await server.call('POST', `/v1/jobs/${id}/cancel`, { timeout_seconds: 0.1 })
    expect(second.status).toBe(200)
    const ended = await server.call('GET', `/v1/jobs/${id}?wait=60`)
    expect(ended.body.status).toBe('cancelled')
    const third = await server.call('POST', `/v1/jobs/${id}/cancel`)
    expect([third.status, third.body.code]).toEqual([409, 'job_ended'])
    expect((await server.call('DELETE', `/v1/jobs/${id}`)).status).toBe(409)
  })

  test('accepts a body of length 0 of any type, as curl sends it', async () => {
    for (const type of ['application/json', 'application/x-www-form-urlencoded']) {
      const id = await submit({ command: 'true', scheduled_at: LATER })
      const answer = await fetch(`${server.url}/v1/jobs/${id}/cancel`, {
        method: 'POST',
        headers: { ...bearer(), 'content-type': type },
        body: '',
      })
      expect(answer.status).toBe(200)
    }
  })

  test.each(['queue', 'name', 'label', 'workflow_id', 'run_id', 'parent_job_id', 'datasource', 'pipe', 'status'])(
    'all matching jobs refuses an empty %s, since an unset variable does not mean every job',
    async field => {
      const id = await submit({ command: 'true', scheduled_at: LATER })
      const query = await server.call('POST', `/v1/jobs/cancel?${field}=`)
      expect([query.status, query.body.errors[0].path]).toEqual([422, expect.stringContaining(field)])
      const none = field === 'label' || field === 'status' ? [] : ''
      const body = await server.call('POST', '/v1/jobs/cancel', { [field]: none })
      expect([body.status, body.body.errors[0].path]).toEqual([422, field])
      expect((await server.call('GET', `/v1/jobs?${field}=`)).status).toBe(422)
      expect((await server.call('GET', `/v1/jobs/${id}`)).body.status).toBe('pending')
      await server.call('DELETE', `/v1/jobs/${id}`)
    },
  )

  test('all matching jobs accepts the filters of the list, in the query or in the body', async () => {
    const later = { command: 'true', scheduled_at: LATER }
    await Promise.all([
      submit({ ...later, queue: 'x' }),
      submit({ ...later, queue: 'x' }),
      submit({ ...later, queue: 'y' }),
    ])
    expect((await server.call('POST', '/v1/jobs/cancel?queue=x')).body).toEqual({ cancelled: 2, cancelling: 0 })
    expect((await server.call('POST', '/v1/jobs/cancel', { queue: 'y', status: ['pending'] })).body).toEqual({
      cancelled: 1,
      cancelling: 0,
    })
    expect((await server.call('POST', '/v1/jobs/cancel', { run_id: 'none' })).body).toEqual({
      cancelled: 0,
      cancelling: 0,
    })
  })
})

describe('rerunning', () => {
  test('creates a new job with the same parameters, secrets included', async () => {
    const first = await server.run({
      command: 'test "$API_KEY" = swordfish-1',
      environment: { API_KEY: 'swordfish-1' },
      labels: { a: 'b' },
    })
    expect(first.status).toBe('completed')
    const answer = await server.call('POST', `/v1/jobs/${first.job_id}/rerun`)
    expect(answer.status).toBe(201)
    expect(answer.headers.get('location')).toBe(`${server.url}/v1/jobs/${answer.body.job_id}`)
    const { body: second } = await server.call('GET', `/v1/jobs/${answer.body.job_id}?wait=60`)
    expect(second).toMatchObject({ status: 'completed', rerun_of: first.job_id, labels: { a: 'b' }, spec: first.spec })
  })

  test('a missing job is not found', async () => {
    expect((await server.call('POST', `/v1/jobs/${NOBODY}/rerun`)).status).toBe(404)
  })
})

describe('purging', () => {
  test('removes an ended job and everything it left', async () => {
    const job = await server.run({ command: 'echo x > out.txt; echo done', artifacts: ['*.txt'] })
    expect((await server.call('POST', `/v1/jobs/${job.job_id}/purge`)).status).toBe(204)
    for (const path of ['', '/logs', '/artifacts', '/attempts'])
      expect((await server.call('GET', `/v1/jobs/${job.job_id}${path}`)).status).toBe(404)
  })

  test('a job that has not ended is a conflict', async () => {
    const id = await submit({ command: 'true', scheduled_at: LATER })
    const answer = await server.call('POST', `/v1/jobs/${id}/purge`)
    expect([answer.status, answer.body.code]).toEqual([409, 'job_not_ended'])
    await server.call('DELETE', `/v1/jobs/${id}`)
  })
})

describe('progress', () => {
  test('of a job that does not run is a conflict', async () => {
    const job = await server.run({ command: 'true' })
    const answer = await server.call('POST', `/v1/jobs/${job.job_id}/progress`, { percentage: 1 })
    expect([answer.status, answer.body.code]).toEqual([409, 'job_not_running'])
  })
})

describe('listing', () => {
  const list = (query: string) => server.call('GET', `/v1/jobs?${query}`)
  const inList = { command: 'true', scheduled_at: LATER, labels: { suite: 'list' } }
  let between: string

  beforeAll(async () => {
    await submit({ ...inList, name: 'alpha', queue: 'one', labels: { suite: 'list', team: 'a,b' } })
    await submit({ ...inList, name: 'alpine', queue: 'two' })
    await new Promise(resolve => setTimeout(resolve, 5))
    between = new Date().toISOString()
    // A job of the same millisecond does not count as after it.
    await new Promise(resolve => setTimeout(resolve, 5))
    await submit({ ...inList, name: 'beta', queue: 'one' })
    const done = await server.run({ command: 'true', name: 'gamma', labels: { suite: 'list' } })
    expect(done.status).toBe('completed')
  })
  afterAll(() => server.call('POST', '/v1/jobs/cancel?label=suite:list'))

  test.each([
    ['label=suite:list', ['gamma', 'beta', 'alpine', 'alpha']],
    ['label=suite:list&label=team:a,b', ['alpha']],
    ['label=suite:list&name=al', ['alpine', 'alpha']],
    ['label=suite:list&queue=one', ['beta', 'alpha']],
    ['label=suite:list&status=completed', ['gamma']],
    ['label=suite:list&status=completed&status=pending', ['gamma', 'beta', 'alpine', 'alpha']],
    ['label=suite:list&status=queued,pending&kind=command', ['beta', 'alpine', 'alpha']],
    ['label=suite:list&kind=query', []],
    ['label=suite:list&trigger=automatic', []],
    ['label=suite:list&trigger=manual&limit=2', ['gamma', 'beta']],
    [`label=suite:list&parent_job_id=${NOBODY}`, []],
    [`label=suite:list&run_id=${NOBODY}`, []],
    ['label=suite:list&workflow_id=none', []],
    ['label=suite:list&datasource=events', []],
    ['label=suite:list&pipe=top', []],
  ])('%s gives %j', async (query, expected) => {
    const answer = await list(query)
    expect(answer.status).toBe(200)
    expect(names(answer.body)).toEqual(expected)
  })

  test('filters by two times', async () => {
    expect(names((await list(`label=suite:list&created_after=${between}`)).body)).toEqual(['gamma', 'beta'])
    expect(names((await list(`label=suite:list&created_before=${between}`)).body)).toEqual(['alpine', 'alpha'])
  })

  test('counts only on request', async () => {
    expect((await list('label=suite:list&limit=1')).body).not.toHaveProperty('count')
    expect((await list('label=suite:list&limit=1&count=true')).body.count).toBe(4)
    expect((await list('label=suite:list&count=true&datasource=x')).body).toEqual({
      jobs: [],
      next_cursor: null,
      count: 0,
    })
  })

  test('in pages returns each job once', async () => {
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const { body } = await list(`label=suite:list&limit=1${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`)
      seen.push(...names(body))
      cursor = body.next_cursor
    } while (cursor !== null && seen.length < 10)
    expect(seen).toEqual(['gamma', 'beta', 'alpine', 'alpha'])
  })
})

const bearer = () => ({ authorization: `Bearer ${server.token}` })

const FIELDS = [
  'attempt',
  'created_at',
  'error',
  'exit_code',
  'finished_at',
  'is_cancellable',
  'job_id',
  'kind',
  'labels',
  'maximum_attempts',
  'name',
  'parent_job_id',
  'priority',
  'progress',
  'queue',
  'queued_at',
  'rerun_of',
  'result',
  'run_id',
  'scheduled_at',
  'signal',
  'spec',
  'started_at',
  'statistics',
  'status',
  'status_reason',
  'system_attempts',
  'trigger',
  'updated_at',
  'worker_id',
  'workflow_id',
]
