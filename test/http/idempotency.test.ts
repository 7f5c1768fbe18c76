import { hash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { systemClock } from '../../src/kernel/clock.ts'
import { startTestServer, type TestServer } from '../server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server?.stop())

const LATER = new Date(Date.now() + 3_600_000).toISOString()
const JOB = { command: 'true', scheduled_at: LATER }
let keys = 0
const newKey = (): string => `key-${keys++}`

const post = (path: string, body: unknown, key: string, headers: Record<string, string> = {}) =>
  server.call('POST', path, body, { 'idempotency-key': key, ...headers })
const replayed = (answer: { headers: Headers }): boolean => answer.headers.get('idempotency-replayed') === 'true'
const count = async (): Promise<number> => (await server.call('GET', '/v1/jobs?count=true')).body.count

describe('a POST with an Idempotency-Key', () => {
  test('that is repeated gets the first answer, and nothing is done again', async () => {
    const key = newKey()
    const before = await count()
    const first = await post('/v1/jobs', JOB, key)
    const again = await post('/v1/jobs', JOB, key)
    expect([first.status, replayed(first)]).toEqual([201, false])
    expect([again.status, replayed(again)]).toEqual([201, true])
    expect(again.body).toEqual(first.body)
    for (const header of ['location', 'content-type']) expect(again.headers.get(header)).toBe(first.headers.get(header))
    expect(await count()).toBe(before + 1)
  })

  test('is refused with another body', async () => {
    const key = newKey()
    await post('/v1/jobs', JOB, key)
    const other = await post('/v1/jobs', { ...JOB, name: 'other' }, key)
    expect([other.status, other.body.code]).toEqual([409, 'idempotency_mismatch'])
  })

  test('has one key per path', async () => {
    const key = newKey()
    const one = await post('/v1/jobs', JOB, key)
    const batch = await post('/v1/jobs/batch', { jobs: [JOB] }, key)
    expect([one.status, batch.status]).toEqual([201, 201])
    expect((await post('/v1/jobs/batch', { jobs: [JOB] }, key)).body).toEqual(batch.body)
    const rerun = `/v1/jobs/${one.body.job_id}/rerun`
    const first = await post(rerun, undefined, key)
    const again = await post(rerun, undefined, key)
    expect([first.status, replayed(first), replayed(again)]).toEqual([201, false, true])
    expect(again.body.job_id).toBe(first.body.job_id)
  })

  test('has one key per workspace', async () => {
    await server.call('POST', '/v1/workspaces', { name: 'keys' })
    const made = await server.call('POST', '/v1/tokens', { name: 'k', role: 'admin', workspace: 'keys' })
    const key = newKey()
    const here = await post('/v1/jobs', JOB, key)
    const there = await post('/v1/jobs', JOB, key, { authorization: `Bearer ${made.body.token}` })
    expect(there.status).toBe(201)
    expect(there.body.job_id).not.toBe(here.body.job_id)
  })

  test('keeps a refusal, with its content type', async () => {
    const key = newKey()
    const first = await post('/v1/jobs', { command: 1 }, key)
    const again = await post('/v1/jobs', { command: 1 }, key)
    expect([first.status, again.status, replayed(again)]).toEqual([422, 422, true])
    expect(again.body).toEqual(first.body)
    expect(again.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  })

  test('can be repeated after a refusal that says when to try again', async () => {
    const full = await startTestServer({ settings: { 'max-queued': '1' } })
    onTestFinished(() => full.stop())
    const submit = () => full.call('POST', '/v1/jobs', JOB, { 'idempotency-key': 'full' })
    const waiting = await full.call('POST', '/v1/jobs', JOB)
    const first = await submit()
    expect([first.status, first.headers.get('retry-after')]).toEqual([429, '5'])
    await full.call('POST', `/v1/jobs/${waiting.body.job_id}/cancel`)
    const again = await submit()
    expect([again.status, replayed(again)]).toEqual([201, false])
    expect([(await submit()).body, replayed(await submit())]).toEqual([again.body, true])
  })

  test('is answered from its key before the body is read or checked', async () => {
    const soon = { command: 'true', scheduled_at: new Date(Date.now() - 59_000).toISOString() }
    const key = newKey()
    const first = await post('/v1/jobs', soon, key)
    const again = await post('/v1/jobs', soon, key)
    expect([first.status, again.status, replayed(again)]).toEqual([201, 201, true])
    const broken = await fetch(`${server.url}/v1/jobs`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${server.token}`,
        'content-type': 'application/json',
        'idempotency-key': key,
      },
      body: '{"command":',
    })
    expect(broken.status).toBe(409)
  })

  test('does the work once if many are sent at once', async () => {
    const key = newKey()
    const before = await count()
    const answers = await Promise.all(Array.from({ length: 20 }, () => post('/v1/jobs', JOB, key)))
    const done = answers.filter(answer => answer.status === 201)
    const running = answers.filter(answer => answer.status === 409)
    expect(done.length).toBeGreaterThan(0)
    expect(done.length + running.length).toBe(20)
    expect(new Set(done.map(answer => answer.body.job_id)).size).toBe(1)
    for (const answer of running) {
      expect(answer.body.code).toBe('idempotency_in_progress')
      expect(answer.headers.get('retry-after')).toBe('1')
    }
    expect(await count()).toBe(before + 1)
  })

  test('cancels once and gives the same answer twice', async () => {
    const { body: job } = await server.call('POST', '/v1/jobs', JOB)
    const key = newKey()
    const first = await post(`/v1/jobs/${job.job_id}/cancel`, undefined, key)
    const again = await post(`/v1/jobs/${job.job_id}/cancel`, undefined, key)
    expect([first.status, again.status, replayed(again)]).toEqual([200, 200, true])
    expect(again.body).toEqual(first.body)
    expect((await server.call('POST', `/v1/jobs/${job.job_id}/cancel`)).status).toBe(409)
  })

  test('returns a new token again only to the token that created it, and stores it sealed', async () => {
    const other = await server.call('POST', '/v1/tokens', { name: 'other', role: 'admin' })
    const key = newKey()
    const first = await post('/v1/tokens', { name: 'x', role: 'reader' }, key)
    const again = await post('/v1/tokens', { name: 'x', role: 'reader' }, key)
    expect([first.status, again.status, again.body.token]).toEqual([201, 201, first.body.token])
    const stranger = await post('/v1/tokens', { name: 'x', role: 'reader' }, key, {
      authorization: `Bearer ${other.body.token}`,
    })
    expect([stranger.status, stranger.body.code]).toEqual([409, 'idempotency_mismatch'])
    const kept = await server.store.beginIdempotent({
      key: { workspace: 'default', method: 'POST', path: '/v1/tokens', key },
      bodyHash: hash('sha256', '\0{"name":"x","role":"reader"}'),
    })
    expect(kept).toEqual({ type: 'answered', answer: { status: 201, body: expect.stringMatching(/^\{"sealed":/) } })
    expect(JSON.stringify(kept)).not.toContain(first.body.token)
  })

  test.each(['', ' ', 'with space', 'ä', 'x'.repeat(256)])('is refused with the key %j', async key => {
    const response = await fetch(`${server.url}/v1/jobs/cancel`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.token}`, 'idempotency-key': key },
    })
    expect(response.status).toBe(422)
    expect(((await response.json()) as { errors: unknown[] }).errors).toHaveLength(1)
  })
})

describe('an upload with an Idempotency-Key', () => {
  const upload = async (jobId: string, key: string, files: Record<string, string>) => {
    const form = new FormData()
    for (const [name, content] of Object.entries(files)) form.append('file', new Blob([content]), name)
    const response = await fetch(`${server.url}/v1/jobs/${jobId}/artifacts`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.token}`, 'idempotency-key': key },
      body: form,
    })
    return { status: response.status, headers: response.headers, body: (await response.json()) as { code?: string } }
  }

  test('is compared file by file', async () => {
    const { job_id: jobId } = await server.run({ command: 'true' })
    const key = newKey()
    const first = await upload(jobId, key, { 'a.txt': 'one', 'b.txt': 'two' })
    expect(first.status).toBe(201)
    const again = await upload(jobId, key, { 'a.txt': 'one', 'b.txt': 'two' })
    expect([again.status, replayed(again)]).toEqual([201, true])
    expect(again.body).toEqual(first.body)
    for (const other of [{ 'a.txt': 'one', 'b.txt': 'TWO' }, { 'a.txt': 'one' }, { 'a.txt': 'one', 'c.txt': 'two' }]) {
      const answer = await upload(jobId, key, other)
      expect([answer.status, answer.body.code]).toEqual([409, 'idempotency_mismatch'])
    }
  })

  test('can be repeated after a refusal', async () => {
    const { job_id: jobId } = await server.run({ command: 'true' })
    const key = newKey()
    expect((await upload(jobId, key, { '../x': 'bad' })).status).toBe(422)
    expect((await upload(jobId, key, { 'x.txt': 'good' })).status).toBe(201)
  })

  test('that takes longer than the minute after which its key expires is not done twice', async () => {
    let ahead = 0
    const slow = await startTestServer({ clock: { ...systemClock, now: () => Date.now() + ahead } })
    onTestFinished(() => slow.stop())
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const send = (body: NonNullable<RequestInit['body']>) =>
      fetch(`${slow.url}/v1/datasources/rows/import?create=true`, {
        method: 'POST',
        headers: { authorization: `Bearer ${slow.token}`, 'idempotency-key': 'slow', 'content-type': 'text/csv' },
        body,
        ...(body instanceof ReadableStream && { duplex: 'half' }),
      } as RequestInit)
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const content = writable.getWriter()
    const first = send(readable)
    await content.write(Buffer.from('n\n'))
    const again = async () => ((await (await send('n\n1\n')).json()) as { code?: string }).code
    await vi.waitUntil(async () => (await again()) === 'idempotency_in_progress', { timeout: 30_000 })
    for (let minute = 0; minute < 3; minute++) {
      ahead += 50_000
      vi.advanceTimersByTime(20_000)
      expect(await again()).toBe('idempotency_in_progress')
    }
    await content.write(Buffer.from('1\n'))
    await content.close()
    const { job_id: jobId } = (await (await first).json()) as { job_id: string }
    const repeated = await send('n\n1\n')
    expect([repeated.status, replayed(repeated), await repeated.json()]).toMatchObject([201, true, { job_id: jobId }])
  })
})
