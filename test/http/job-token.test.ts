import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ACCESS } from '../../src/http/auth/access.ts'
import { startTestServer, type TestServer } from '../server.ts'
import { NOBODY } from './scenario.ts'

let server: TestServer
let parent: string
let token: string
let other: string

const SECRET = 'a secret, longer than eight'

/** The token of a running job, as the job itself sees it. */
beforeAll(async () => {
  server = await startTestServer({ settings: { 'shutdown-grace': '100ms' } })
  const submitted = await server.call('POST', '/v1/jobs', {
    command: 'echo "$MILLRACE_TOKEN"; exec sleep 600',
    environment: { A_PASSWORD: SECRET },
  })
  parent = submitted.body.job_id
  await vi.waitFor(
    async () => expect((await server.call('GET', `/v1/jobs/${parent}/logs`)).body.lines).toHaveLength(1),
    { timeout: 20_000 },
  )
  const job = await server.call('GET', `/v1/jobs/${parent}`)
  expect(job.body.status).toBe('running')
  token = server.engine.jobTokens.issue(parent, job.body.attempt)
  other = (await server.run({ command: 'true' })).job_id
}, 60_000)
afterAll(() => server?.stop())

const inside = (method: string, path: string, body?: unknown) =>
  server.call(method, path, body, { authorization: `Bearer ${token}` })

const upload = (path: string): Promise<Response> => {
  const form = new FormData()
  form.set('file', new Blob(['made inside']), 'inside.txt')
  return fetch(server.url + path, { method: 'POST', headers: { authorization: `Bearer ${token}` }, body: form })
}

describe("a job's own token", () => {
  test('is masked in the log of the job', async () => {
    const { body } = await server.call('GET', `/v1/jobs/${parent}/logs`)
    expect(JSON.stringify(body)).not.toContain(token)
  })

  test('reads the job itself, its log and attempts', async () => {
    expect((await inside('GET', `/v1/jobs/${parent}`)).body.job_id).toBe(parent)
    expect((await inside('GET', `/v1/jobs/${parent}/logs`)).status).toBe(200)
    expect((await inside('GET', `/v1/jobs/${parent}/attempts`)).body.attempts).toHaveLength(1)
  })

  test('reports the progress of the job', async () => {
    expect((await inside('POST', `/v1/jobs/${parent}/progress`, { percentage: 42, message: 'half' })).status).toBe(204)
    const { body } = await server.call('GET', `/v1/jobs/${parent}`)
    expect(body.progress).toMatchObject({ percentage: 42, message: 'half' })
  })

  test('is masked in progress messages, and so are the secrets of the job', async () => {
    const path = `/v1/jobs/${parent}/progress`
    const tell = (message: string) => inside('POST', path, { message })
    const told = async () => (await server.call('GET', `/v1/jobs/${parent}`)).body.progress
    expect((await tell(`${SECRET} and ${token}`)).status).toBe(204)
    expect(await told()).toMatchObject({ percentage: null, message: '*** and ***' })
    await server.call('POST', path, { percentage: 1, message: `as a user: ${encodeURIComponent(SECRET)}` })
    expect(await told()).toMatchObject({ percentage: 1, message: 'as a user: ***' })
  })

  test('uploads and reads artifacts of the job, and of no other', async () => {
    expect((await upload(`/v1/jobs/${parent}/artifacts`)).status).toBe(201)
    expect((await inside('GET', `/v1/jobs/${parent}/artifacts`)).body.artifacts).toHaveLength(1)
    expect((await upload(`/v1/jobs/${other}/artifacts`)).status).toBe(404)
    expect((await inside('GET', `/v1/jobs/${other}/artifacts`)).status).toBe(404)
  })

  test('submits child jobs, reads them, and lists only them', async () => {
    const child = await inside('POST', '/v1/jobs', { command: 'echo child' })
    expect(child.status).toBe(201)
    const ended = await inside('GET', `/v1/jobs/${child.body.job_id}?wait=60`)
    expect(ended.body).toMatchObject({ status: 'completed', parent_job_id: parent })
    const log = await inside('GET', `/v1/jobs/${child.body.job_id}/logs`)
    expect(log.body.lines.map((line: { line: string }) => line.line)).toEqual(['child'])
    const list = await inside('GET', '/v1/jobs')
    expect(list.body.jobs.map((job: { job_id: string }) => job.job_id)).toEqual([child.body.job_id])
    expect((await inside('GET', `/v1/jobs?parent_job_id=${other}`)).body.jobs).toEqual([])
  })

  test('does not find other jobs, their logs or attempts', async () => {
    for (const path of ['', '/logs', '/attempts', '/result']) {
      const answer = await inside('GET', `/v1/jobs/${other}${path}`)
      expect([answer.status, answer.body.code]).toEqual([404, 'not_found'])
    }
  })

  test('may do nothing else', async () => {
    const closed = Object.entries(ACCESS).filter(([, access]) => !access.job && access.scope !== 'public')
    expect(closed.length).toBeGreaterThan(8)
    for (const [name] of closed) {
      const [method = '', pattern = ''] = name.split(' ')
      const answer = await inside(method, pattern.replace(':job_id', parent).replaceAll(/:\w+/g, NOBODY))
      expect([name, answer.status]).toEqual([name, 403])
    }
  })

  test('is refused when it was changed', async () => {
    const forged = token.replace(/.$/, last => (last === 'A' ? 'Q' : 'A'))
    const answer = await server.call('GET', `/v1/jobs/${parent}`, undefined, { authorization: `Bearer ${forged}` })
    expect(answer.status).toBe(401)
    const later = token.replace(/\.(\d+)\./, '.2.')
    const next = await server.call('GET', `/v1/jobs/${parent}`, undefined, { authorization: `Bearer ${later}` })
    expect(next.status).toBe(401)
  })

  test('expires with the job', async () => {
    await server.call('POST', `/v1/jobs/${parent}/cancel`, { timeout_seconds: 0 })
    await server.call('GET', `/v1/jobs/${parent}?wait=60`)
    expect((await inside('GET', `/v1/jobs/${parent}`)).status).toBe(401)
    expect((await upload(`/v1/jobs/${parent}/artifacts`)).status).toBe(401)
  })
})
