import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Compile } from 'typebox/compile'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ACCESS } from '../../src/http/auth/access.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { startTestServer, type TestServer } from '../server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server?.stop())

const open = (path: string, init: RequestInit = {}): Promise<Response> => fetch(server.url + path, init)

describe('health', () => {
  test('needs no token', async () => {
    const alive = await open('/healthz')
    expect([alive.status, await alive.json()]).toEqual([200, { status: 'ok' }])
  })

  test('is reported for each part in /readyz', async () => {
    const response = await open('/readyz')
    const body = (await response.json()) as { status: string; parts: { part: string; status: string }[] }
    expect([response.status, body.status]).toEqual([200, 'ready'])
    expect(body.parts.map(part => part.part)).toEqual(expect.arrayContaining(['store', 'blobs', 'command']))
    for (const part of body.parts) expect(['ok', 'warning']).toContain(part.status)
  })
})

describe('metrics', () => {
  test('report queues, slots, the store and requests', async () => {
    await server.call('POST', '/v1/jobs', {
      command: 'true',
      scheduled_at: new Date(Date.now() + 3_600_000).toISOString(),
    })
    const { status, body } = await server.call('GET', '/metrics')
    expect(status).toBe(200)
    expect(body).toMatch(/^millrace_jobs\{status="pending",kind="command"\} 1$/m)
    expect(body).toMatch(/^millrace_oldest_queued_seconds 0$/m)
    expect(body).toMatch(/^millrace_slots\{worker="[0-9a-f-]{36}"\} 4$/m)
    expect(body).toMatch(/^millrace_store_operation_duration_seconds_count\{operation="submitJobs"\} [1-9]/m)
    expect(body).toMatch(
      /^millrace_http_request_duration_seconds_count\{method="POST",route="\/v1\/jobs",status="201"\} [1-9]/m,
    )
  })

  test('report schedule slots, their lateness, and runs', async () => {
    const schedule = { intervals: [{ every: '1s' }] }
    await server.call('POST', '/v1/workflows', { name: 'ticking', payload: [{ command: 'true' }], schedule })
    const metrics = async () => (await server.call('GET', '/metrics')).body
    await expect.poll(metrics, { timeout: 20_000 }).toMatch(/^millrace_schedule_slots_total\{outcome="fired"\} [1-9]/m)
    const text = await metrics()
    expect(text).toMatch(/^millrace_open_runs \d+$/m)
    expect(text).toMatch(/^millrace_pending_deliveries 0$/m)
    expect(text).toMatch(/^millrace_schedule_lateness_seconds_count [1-9]/m)
    const sum = Number(/^millrace_schedule_lateness_seconds_sum (\S+)$/m.exec(text)?.[1])
    const count = Number(/^millrace_schedule_lateness_seconds_count (\S+)$/m.exec(text)?.[1])
    // With a wrong clock it would be off by decades, or always early.
    expect(sum / count).toBeGreaterThan(0)
    expect(sum / count).toBeLessThan(20)
    await server.call('POST', '/v1/workflows/ticking/terminate')
  })

  test('count no slots of a lost worker', async () => {
    let ahead = 0
    const clock: Clock = { now: () => Date.now() + ahead, monotonic: () => performance.now() }
    const restarted = await startTestServer({ clock })
    try {
      const former = {
        id: 'former',
        host: 'here',
        pid: 1,
        roles: ['worker' as const],
        slots: 8,
        startedAt: clock.now(),
      }
      await restarted.store.beatWorker(former)
      const workersOf = async () => {
        const { body } = await restarted.call('GET', '/metrics')
        return [...body.matchAll(/^millrace_slots\{worker="(.*)"\} \d+$/gm)].map(([, worker]) => worker)
      }
      expect((await workersOf()).toSorted()).toEqual([restarted.engine.workerId, 'former'].toSorted())
      ahead = 60_000
      await expect.poll(workersOf, { timeout: 10_000 }).toEqual([restarted.engine.workerId])
    } finally {
      await restarted.stop()
    }
  }, 20_000)

  test('have one series for all paths without a route', async () => {
    for (const path of ['/a', '/b', '/c']) await open(path)
    const { body } = await server.call('GET', '/metrics')
    expect(body.match(/_count\{method="GET",route="none",status="404"\}/g)).toHaveLength(1)
    expect(body).not.toContain('"/a"')
  })
})

test('workers are listed with their slots', async () => {
  const workers = async () => (await server.call('GET', '/v1/workers')).body.workers
  // A job of an earlier test may still be ending.
  await expect.poll(workers, { timeout: 10_000 }).toEqual([
    {
      worker_id: server.engine.workerId,
      host: expect.any(String),
      pid: process.pid,
      roles: ['api', 'scheduler', 'worker'],
      slots: 4,
      running: 0,
      started_at: expect.any(String),
      seen_at: expect.any(String),
    },
  ])
})

describe('the API description', () => {
  type Operation = {
    summary?: string
    tags?: string[]
    security?: unknown[]
    requestBody?: { content: Record<string, unknown> }
    responses: Record<string, { content?: Record<string, unknown> }>
  }
  let paths: Record<string, Record<string, Operation>>
  beforeAll(async () => {
    const document = (await (await open('/openapi.json')).json()) as { openapi: string; paths: typeof paths }
    expect(document.openapi).toMatch(/^3\.1\./)
    paths = document.paths
  })

  test('has every route for programs, and no other', () => {
    const described = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map(method => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    )
    // The routes of a dialect are described once: not for every base, and not with a trailing slash.
    const routes = Object.keys(ACCESS).filter(name => !/\/docs|\/openapi|\/schemas| \/tinybird\/|\/$/.test(name))
    expect(described.filter(name => !name.startsWith('HEAD ')).toSorted()).toEqual(routes.toSorted())
  })

  test('describes every operation and its refusals', () => {
    for (const operations of Object.values(paths)) {
      for (const operation of Object.values(operations)) {
        expect(operation.summary).toMatch(/\w/)
        expect(operation.tags).toHaveLength(1)
        for (const status of ['4XX', '5XX'])
          expect(operation.responses[status]?.content).toHaveProperty(['application/problem+json'])
      }
    }
  })

  test('describes the response to every operation, also streams and downloads', () => {
    for (const [path, operations] of Object.entries(paths))
      for (const [method, { responses }] of Object.entries(operations))
        expect(Object.keys(responses), `${method} ${path}`).toContainEqual(expect.stringMatching(/^2/))
    const typesOf = (path: string) => Object.keys(paths[path]?.get?.responses['200']?.content ?? {})
    expect(typesOf('/v1/jobs/{job_id}/result')).toEqual(['*/*'])
    expect(typesOf('/v1/jobs/{job_id}/artifacts/{artifact_id}')).toEqual(['*/*'])
    expect(typesOf('/v1/events')).toEqual(['text/event-stream'])
    const forms = ['application/json', 'text/plain', 'application/x-ndjson', 'text/event-stream']
    expect(typesOf('/v1/jobs/{job_id}/logs')).toEqual(forms)
  })

  test('describes uploads', () => {
    const typesOf = (path: string) => Object.keys(paths[path]?.post?.requestBody?.content ?? {})
    expect(typesOf('/v1/jobs/{job_id}/artifacts')).toEqual(['multipart/form-data'])
    expect(typesOf('/v1/datasources/infer')).toEqual(['application/json', 'application/octet-stream'])
    const content = ['application/octet-stream', 'multipart/form-data']
    expect(typesOf('/v1/datasources/{datasource}/import')).toEqual(content)
  })

  test('describes the fields of a job body', () => {
    const content = paths['/v1/jobs']?.post?.requestBody?.content['application/json']
    const { anyOf } = (content as { schema: { anyOf: { title: string; properties: object }[] } }).schema
    const kinds = ['command', 'http', 'api', 'query', 'import', 'populate', 'copy', 'delete']
    expect(anyOf.map(kind => kind.title).toSorted()).toEqual(kinds.toSorted())
    for (const { title, properties } of anyOf)
      expect(Object.keys(properties)).toEqual(expect.arrayContaining([title, 'retry', 'secrets', 'sinks']))
    expect(paths['/healthz']?.get?.security).toEqual([])
  })

  test('has valid examples of every body', () => {
    for (const [path, operations] of Object.entries(paths)) {
      if (!path.startsWith('/v1/')) continue
      for (const [method, { requestBody }] of Object.entries(operations)) {
        const content = requestBody?.content['application/json'] as
          | { schema: object; examples?: Record<string, { value: unknown }> }
          | undefined
        if (content === undefined) continue
        expect(Object.keys(content.examples ?? {}), `${method} ${path}`).not.toEqual([])
        const validator = Compile(content.schema)
        for (const [name, { value }] of Object.entries(content.examples ?? {}))
          expect([path, name, validator.Errors(value)]).toEqual([path, name, []])
      }
    }
  })
})

describe('the reference page', () => {
  test('loads nothing from other hosts, and its policy forbids it', async () => {
    const response = await open('/docs')
    expect(response.status).toBe(200)
    const policy = response.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("connect-src 'self'")
    expect(policy).not.toMatch(/https?:|script-src[^;]*unsafe/)
    const html = await response.text()
    expect(html).not.toMatch(/(src|href)="(https?:)?\/\//)
    expect(html).toContain('<html lang="en">')
    expect(html).toContain('<link rel="icon" href="data:,"')
    const { url, servers } = JSON.parse(/createApiReference\('#app', (\{[\s\S]*?\})\)\n/.exec(html)?.[1] ?? '{}')
    expect((await open(new URL(url, 'http://server/docs/').pathname)).status).toBe(200)
    expect(servers).toEqual([{ url: '/' }])
    const script = await open(`/docs/${/script src="([^"]+)"/.exec(html)?.[1]}`)
    expect(script.headers.get('content-type')).toContain('javascript')
    expect((await script.text()).length).toBeGreaterThan(100_000)
  })

  test('is the target of relative redirects from / and /docs, which work below a proxy path', async () => {
    for (const path of ['/', '/docs']) {
      const response = await fetch(server.url + path, { redirect: 'manual' })
      expect([response.status, response.headers.get('location')]).toEqual([302, 'docs/'])
    }
  })
})

describe('every response', () => {
  test('has the headers that keep it from being run, framed or cached', async () => {
    for (const path of ['/healthz', '/v1/jobs', '/nothing', '/openapi.json']) {
      const { headers } = await open(path)
      expect(Object.fromEntries(headers)).toMatchObject({
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'content-security-policy': expect.stringContaining("default-src 'none'"),
        'x-request-id': expect.any(String),
      })
      expect(headers.get('access-control-allow-origin')).toBeNull()
    }
  })

  test('has the caller’s request id if that is safe to log', async () => {
    const ids = ['trace-1:a.b', 'evil\tid', 'x'.repeat(129)]
    const answers = await Promise.all(ids.map(id => open('/healthz', { headers: { 'x-request-id': id } })))
    const told = answers.map(answer => answer.headers.get('x-request-id'))
    expect(told[0]).toBe('trace-1:a.b')
    for (const id of told.slice(1)) expect(id).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('to a preflight from another origin grants nothing', async () => {
    const response = await open('/v1/jobs', {
      method: 'OPTIONS',
      headers: { origin: 'http://evil.example', 'access-control-request-method': 'POST' },
    })
    expect(response.status).toBe(405)
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('the admin token', () => {
  test('is left in a file that only its owner can read, and stays the same', async () => {
    const path = join(server.dataDir, 'admin-token')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readFileSync(path, 'utf8')).toBe(`${server.token}\n`)
    expect(server.adminToken).toMatchObject({ path, isNew: true })
    const { body } = await server.call('GET', '/v1/tokens')
    expect(body.tokens[0]).toMatchObject({ name: 'admin', role: 'instance_admin', expires_at: null })
  })
})
