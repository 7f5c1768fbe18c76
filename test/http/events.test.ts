import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { startTestServer, type TestServer } from '../server.ts'

type Event = { id: string; job_id: string; status: string; type: string }

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server?.stop())

const bearer = () => ({ authorization: `Bearer ${server.token}` })

/** A listening WebSocket and what it has heard. */
const listen = async (query = '', headers: Record<string, string> = bearer()) => {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/events${query}`, { headers })
  const heard: Event[] = []
  socket.on('message', data => heard.push(JSON.parse(data.toString())))
  await once(socket, 'open')
  return { heard, close: () => socket.close() }
}

describe('events', () => {
  test('report each change of status once, in order', async () => {
    const { heard, close } = await listen()
    const job = await server.run({ command: 'true' })
    await expect.poll(() => heard.length, { timeout: 10_000 }).toBe(3)
    expect(heard.map(event => [event.job_id, event.type, event.status])).toEqual([
      [job.job_id, 'job.queued', 'queued'],
      [job.job_id, 'job.running', 'running'],
      [job.job_id, 'job.completed', 'completed'],
    ])
    expect(Object.keys(heard[0] ?? {})).toEqual([
      'id',
      'type',
      'job_id',
      'run_id',
      'workflow_id',
      'status',
      'status_reason',
      'timestamp',
    ])
    expect(new Set(heard.map(event => event.id)).size).toBe(3)
    close()
  })

  test('can be limited to one job or kind', async () => {
    const later = { command: 'true', scheduled_at: new Date(Date.now() + 3_600_000).toISOString() }
    const { body } = await server.call('POST', '/v1/jobs', later)
    const one = await listen(`?job_id=${body.job_id}`)
    const none = await listen('?kind=query,graph')
    const all = await listen('?kind=command')
    await server.run({ command: 'true' })
    await server.call('DELETE', `/v1/jobs/${body.job_id}`)
    await expect.poll(() => all.heard.length, { timeout: 10_000 }).toBe(4)
    expect(one.heard.map(event => [event.job_id, event.status])).toEqual([[body.job_id, 'cancelled']])
    expect(none.heard).toEqual([])
    for (const listener of [one, none, all]) listener.close()
  })

  describe('of workflows', () => {
    let workflowId: string
    beforeAll(async () => {
      const item = { command: 'false', retry: { maximum_attempts: 1 } }
      const definition = { name: 'told', payload: [item], max_consecutive_failures: 1 }
      workflowId = (await server.call('POST', '/v1/workflows', definition)).body.workflow_id
    })
    const trigger = async (): Promise<string> => (await server.call('POST', '/v1/workflows/told/trigger')).body.run_id

    test('report runs and notifications beside jobs', async () => {
      const { heard, close } = await listen(`?workflow_id=${workflowId}`)
      const runId = await trigger()
      const types = () => heard.map(event => event.type)
      await expect.poll(types, { timeout: 20_000 }).toContain('run.failed')
      await expect.poll(types, { timeout: 20_000 }).toContain('notification.workflow.terminated')
      for (const type of ['run.running', 'job.queued', 'job.running', 'job.failed']) expect(types()).toContain(type)
      expect(types().indexOf('run.running')).toBeLessThan(types().indexOf('run.failed'))
      expect(heard.find(event => event.type === 'run.failed')).toEqual({
        id: expect.any(String),
        type: 'run.failed',
        job_id: null,
        run_id: runId,
        workflow_id: workflowId,
        status: 'failed',
        status_reason: 'items_failed',
        timestamp: expect.any(String),
      })
      expect(heard.find(event => event.type.startsWith('notification'))).toMatchObject({
        status: null,
        run_id: runId,
        workflow_id: workflowId,
        notification: { type: 'workflow.terminated', severity: 'alert' },
      })
      close()
    })

    test('can be filtered by type, run and workflow', async () => {
      const runs = await listen('?type=run')
      const jobs = await listen('?type=job')
      const both = await listen('?type=job,run&kind=command')
      const runId = await trigger()
      const one = await listen(`?run_id=${runId}&type=run`)
      await expect.poll(() => runs.heard.at(-1)?.status, { timeout: 20_000 }).toBe('failed')
      await expect.poll(() => jobs.heard.at(-1)?.status, { timeout: 20_000 }).toBe('failed')
      expect(new Set(runs.heard.map(event => event.type.split('.')[0]))).toEqual(new Set(['run']))
      for (const { heard } of [jobs, both])
        expect(new Set(heard.map(event => event.type.split('.')[0]))).toEqual(new Set(['job']))
      for (const event of one.heard) expect(event).toMatchObject({ run_id: runId })
      for (const listener of [runs, jobs, both, one]) listener.close()
    })

    test('are sent only to tokens that may read workflows', async () => {
      const made = await server.call('POST', '/v1/tokens', { name: 'jobs', scopes: ['jobs:read'] })
      const little = await listen('', { authorization: `Bearer ${made.body.token}` })
      const all = await listen()
      await trigger()
      await expect.poll(() => all.heard.map(event => event.type), { timeout: 20_000 }).toContain('run.failed')
      await expect.poll(() => little.heard.map(event => event.type), { timeout: 20_000 }).toContain('job.failed')
      expect(little.heard.filter(event => !event.type.startsWith('job.'))).toEqual([])
      for (const listener of [little, all]) listener.close()
    })
  })

  test('invariant 11: are not sent to another workspace', async () => {
    await server.call('POST', '/v1/workspaces', { name: 'quiet' })
    const made = await server.call('POST', '/v1/tokens', { name: 'q', role: 'admin', workspace: 'quiet' })
    const theirs = { authorization: `Bearer ${made.body.token}` }
    const there = await listen('', theirs)
    const here = await listen()
    await server.run({ command: 'true' })
    await expect.poll(() => here.heard.length, { timeout: 10_000 }).toBe(3)
    const { body } = await server.call('POST', '/v1/jobs', { command: 'true' }, theirs)
    await expect.poll(() => there.heard.length, { timeout: 10_000 }).toBe(3)
    expect(new Set(there.heard.map(event => event.job_id))).toEqual(new Set([body.job_id]))
    for (const listener of [there, here]) listener.close()
  })

  test('are available as server-sent events', async () => {
    const controller = new AbortController()
    const response = await fetch(`${server.url}/v1/events`, {
      headers: { ...bearer(), accept: 'text/event-stream' },
      signal: controller.signal,
    })
    const { body } = await server.call('POST', '/v1/jobs', { command: 'true' })
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      if (text.includes('job.completed')) break
    }
    controller.abort()
    expect(text.match(/"status":"\w+"/g)).toEqual(['"status":"queued"', '"status":"running"', '"status":"completed"'])
    expect(text).toContain(body.job_id)
  })

  test('are not available as JSON', async () => {
    const answer = await server.call('GET', '/v1/events', undefined, { accept: 'application/json' })
    expect([answer.status, answer.body.code]).toEqual([406, 'not_acceptable'])
  })

  test('with an invalid filter are refused before the socket opens', async () => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/events?kind=magic`, { headers: bearer() })
    const [, response] = await once(socket, 'unexpected-response')
    expect(response.statusCode).toBe(422)
    socket.on('error', () => {})
    socket.terminate()
  })
})

test('streams end when the server stops, and do not delay it', async () => {
  const own = await startTestServer()
  const socket = new WebSocket(`${own.url.replace('http', 'ws')}/v1/events?token=${own.token}`)
  await once(socket, 'open')
  const sse = await fetch(`${own.url}/v1/events?token=${own.token}`, { headers: { accept: 'text/event-stream' } })
  const { body } = await own.call('POST', '/v1/jobs', {
    command: 'true',
    scheduled_at: new Date(Date.now() + 3_600_000).toISOString(),
  })
  const waiting = own.call('GET', `/v1/jobs/${body.job_id}?wait=60`)
  // The wait has arrived once a later request over another connection is answered.
  await own.call('GET', '/v1/workers')
  const closed = once(socket, 'close')
  const started = performance.now()
  await own.stop()
  await closed
  await sse.text().catch(() => '')
  expect((await waiting).body.status).toBe('pending')
  expect(performance.now() - started).toBeLessThan(20_000)
})

test.each(['send', 'ping', 'pong'] as const)('a client that sends nothing but %s is disconnected', async say => {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/events`, { headers: bearer() })
  await once(socket, 'open')
  const closed = once(socket, 'close')
  for (let count = 0; count < 101; count++) socket[say]('x')
  await closed
})
