import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { ACCESS } from '../../src/http/auth/access.ts'
import { startTestServer, type TestServer } from '../server.ts'
import { check, NOBODY } from './scenario.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server?.stop())

const ROUTES = Object.entries(ACCESS)
  .filter(([, access]) => access.scope !== 'public')
  .map(([name, access]) => {
    const [method = '', pattern = ''] = name.split(' ')
    return { name, method, access, path: pattern.replaceAll(/:\w+/g, NOBODY) }
  })

const makeToken = async (body: object): Promise<{ token: string; token_id: string }> => {
  const made = await server.call('POST', '/v1/tokens', body)
  expect(made.status).toBe(201)
  return made.body
}

const as = (token: string) => (method: string, path: string, body?: unknown) =>
  server.call(method, path, body, { authorization: `Bearer ${token}` })

/** How the server answers an attempt to open a WebSocket. */
const open = (path: string, options: WebSocket.ClientOptions = {}): Promise<number> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(server.url.replace('http', 'ws') + path, options)
    socket.on('unexpected-response', (_request, response) => {
      resolve(response.statusCode ?? 0)
      socket.terminate()
    })
    socket.on('open', () => {
      resolve(101)
      socket.close()
    })
    socket.on('error', reject)
  })

describe('every route that is not public', () => {
  test.each(ROUTES)('$name refuses a request without a token', async ({ method, path }) => {
    await check(server, { name: '', method, path, token: null, status: 401, code: 'unauthenticated' })
  })

  test.each(ROUTES)('$name refuses an invalid token', async ({ method, path }) => {
    await check(server, { name: '', method, path, token: 'mr_wrong', status: 401, code: 'unauthenticated' })
  })

  test('reports a token in the URL, and a scheme other than Bearer', async () => {
    const refused = { name: '', token: null, status: 401, code: 'unauthenticated' }
    for (const path of ['/v1/jobs', '/v0/jobs'])
      await check(server, {
        ...refused,
        path: `${path}?token=${server.token}`,
        matches: { detail: expect.stringContaining('(?token=) is only for streams') },
      })
    await check(server, {
      ...refused,
      path: '/v1/jobs',
      headers: { authorization: `Token ${server.token}` },
      matches: { detail: 'Authorization must be Bearer <token>.' },
    })
  })

  test('refuses a token without its scope, and names the scope', async () => {
    const { token } = await makeToken({ name: 'little', scopes: ['jobs:run:graph'] })
    for (const { method, path, access } of ROUTES) {
      if (access.scope === 'run') continue
      const answer = await as(token)(method, path)
      expect([answer.status, answer.body.code]).toEqual([403, 'forbidden'])
      expect(answer.body.detail).toContain(access.scope)
    }
  })
})

describe('a token', () => {
  test('may be sent as x-api-key', async () => {
    await check(server, {
      name: '',
      path: '/v1/jobs',
      token: null,
      headers: { 'x-api-key': server.token },
      status: 200,
    })
  })

  test('in the query is accepted only for streams', async () => {
    const query = `token=${server.token}`
    await check(server, { name: '', path: `/v1/jobs?${query}`, token: null, status: 401 })
    await check(server, { name: '', path: `/v1/jobs/${NOBODY}/logs?${query}`, token: null, status: 401 })
    expect(await open(`/v1/events?${query}`)).toBe(101)
    const controller = new AbortController()
    const stream = await fetch(`${server.url}/v1/events?${query}`, {
      headers: { accept: 'text/event-stream' },
      signal: controller.signal,
    })
    expect(stream.status).toBe(200)
    controller.abort()
  })

  test('is shown once and never again', async () => {
    const { token, token_id } = await makeToken({ name: 'once', role: 'reader' })
    expect(token).toMatch(/^mr_[\w-]{43}$/)
    const { body } = await server.call('GET', '/v1/tokens')
    expect(body.tokens).toContainEqual(expect.objectContaining({ token_id, name: 'once', role: 'reader' }))
    expect(JSON.stringify(body)).not.toContain(token)
  })

  test('stops working at once when it is deleted, and its streams are closed', async () => {
    const { token, token_id } = await makeToken({ name: 'short', role: 'reader' })
    expect((await as(token)('GET', '/v1/jobs')).status).toBe(200)
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/events?token=${token}`)
    await new Promise(resolve => socket.once('open', resolve))
    const closed = new Promise(resolve => socket.once('close', resolve))
    expect((await server.call('DELETE', `/v1/tokens/${token_id}`)).status).toBe(204)
    expect((await as(token)('GET', '/v1/jobs')).status).toBe(401)
    await closed
    expect((await server.call('DELETE', `/v1/tokens/${token_id}`)).status).toBe(404)
  })

  test('stops working when it expires, even while it is cached', async () => {
    const expires_at = new Date(Date.now() + 1500).toISOString()
    const { token } = await makeToken({ name: 'soon', role: 'reader', expires_at })
    expect((await as(token)('GET', '/v1/jobs')).status).toBe(200)
    await expect.poll(async () => (await as(token)('GET', '/v1/jobs')).status, { timeout: 10_000 }).toBe(401)
  })

  test('cannot grant scopes that it lacks', async () => {
    const { token } = await makeToken({ name: 'maker', scopes: ['tokens:write', 'jobs:read'] })
    const grant = as(token)
    expect((await grant('POST', '/v1/tokens', { name: 'a', scopes: ['jobs:read'] })).status).toBe(201)
    const refused = await grant('POST', '/v1/tokens', { name: 'b', scopes: ['jobs:read', 'jobs:write'] })
    expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('jobs:write')])
    expect((await grant('POST', '/v1/tokens', { name: 'c', role: 'admin' })).status).toBe(403)
    const elsewhere = await grant('POST', '/v1/tokens', { name: 'd', scopes: ['jobs:read'], workspace: 'other' })
    expect(elsewhere.status).toBe(403)
  })

  test.each([
    ['reader', ['GET', '/v1/jobs'], 200],
    ['reader', ['POST', '/v1/jobs'], 403],
    ['reader', ['GET', '/v1/tokens'], 403],
    ['analyst', ['POST', '/v1/jobs'], 403],
    ['reader', ['GET', '/v1/datasources'], 200],
    ['reader', ['POST', '/v1/datasources'], 403],
    ['reader', ['GET', '/v1/pipes'], 200],
    ['reader', ['POST', '/v1/pipes'], 403],
    ['analyst', ['POST', '/v1/datasources'], 422],
    ['analyst', ['POST', '/v1/pipes'], 422],
    ['operator', ['POST', '/v1/datasources'], 422],
    ['reader', ['GET', '/v1/workflows'], 200],
    ['reader', ['GET', '/v1/analytics'], 200],
    ['reader', ['POST', '/v1/workflows'], 403],
    ['reader', ['GET', '/v1/notifications'], 200],
    ['operator', ['POST', '/v1/jobs'], 201],
    ['operator', ['GET', '/v1/tokens'], 403],
    ['admin', ['GET', '/v1/tokens'], 200],
    ['admin', ['GET', '/v1/workspaces'], 403],
  ] as const)('of the role %s: %j answers %i', async (role, [method, path], status) => {
    const { token } = await makeToken({ name: role, role })
    const body = method === 'POST' ? { command: 'true' } : undefined
    expect((await as(token)(method, path, body)).status).toBe(status)
  })
})

describe('a workspace', () => {
  let foreign: (method: string, path: string, body?: unknown) => ReturnType<TestServer['call']>
  let job: { job_id: string }
  let workflow: string
  let run: string
  let source: string
  let pipe: string
  const PIPE = { name: 'hidden_pipe', nodes: [{ name: 'all_rows', sql: 'SELECT n FROM hidden_rows' }] }

  beforeAll(async () => {
    const made = await server.call('POST', '/v1/workspaces', { name: 'elsewhere' })
    expect(made.status).toBe(201)
    const { token } = await makeToken({ name: 'foreign', role: 'admin', workspace: 'elsewhere' })
    foreign = as(token)
    job = await server.run({ command: 'echo secret', name: 'hidden' })
    const definition = { name: 'hidden', payload: [{ command: 'echo secret' }] }
    workflow = (await server.call('POST', '/v1/workflows', definition)).body.workflow_id
    run = (await server.call('POST', '/v1/workflows/hidden/trigger')).body.run_id
    source = (await server.call('POST', '/v1/datasources', { name: 'hidden_rows', schema: 'n UInt8' })).body
      .datasource_id
    pipe = (await server.call('POST', '/v1/pipes', PIPE)).body.pipe_id
  })

  test('with a taken name is refused', async () => {
    const again = await server.call('POST', '/v1/workspaces', { name: 'elsewhere' })
    expect([again.status, again.body.code]).toEqual([409, 'workspace_exists'])
  })

  test('lists nothing of another workspace', async () => {
    expect((await foreign('GET', '/v1/jobs?count=true')).body).toEqual({ jobs: [], next_cursor: null, count: 0 })
    const tokens = (await foreign('GET', '/v1/tokens')).body.tokens
    expect(tokens.map((token: { name: string }) => token.name)).toEqual(['foreign'])
  })

  /** Bodies that routes require before they look for the job. */
  const BODIES: Readonly<Record<string, object>> = { progress: { percentage: 1 }, extend: { timeout: true } }

  test.each(ROUTES.filter(({ name }) => name.includes(':job_id')))(
    'invariant 11: $name finds nothing of another workspace',
    async ({ method, path, name }) => {
      const body = BODIES[name.slice(name.lastIndexOf('/') + 1)]
      if (name === 'POST /v1/jobs/:job_id/artifacts') return
      const answer = await foreign(method, path.replace(NOBODY, job.job_id), body)
      expect([answer.status, answer.body.code]).toEqual([404, 'not_found'])
    },
  )

  test.each(ROUTES.filter(({ name }) => /:workflow|:run_id/.test(name)))(
    'invariant 11: $name finds nothing of another workspace',
    async ({ method, path }) => {
      const found = [path.replace(NOBODY, path.includes('/runs/') ? run : workflow)]
      if (path.includes('/v1/workflows/')) found.push(path.replace(NOBODY, 'hidden'))
      const body = method === 'PUT' ? { name: 'hidden', payload: [{ command: 'true' }] } : undefined
      for (const one of found) {
        const answer = await foreign(method, one, body)
        expect([answer.status, answer.body.code]).toEqual([404, 'not_found'])
      }
    },
  )

  test.each(ROUTES.filter(({ name }) => /:datasource|:pipe/.test(name)))(
    'invariant 11: $name finds nothing of another workspace',
    async ({ method, path }) => {
      const isPipe = path.includes('/v1/pipes/')
      const body = method === 'PUT' ? (isPipe ? PIPE : { description: 'mine' }) : undefined
      for (const one of isPipe ? [pipe, 'hidden_pipe'] : [source, 'hidden_rows']) {
        const answer = await foreign(method, path.replace(NOBODY, one), body)
        expect([answer.status, answer.body.code]).toEqual([404, 'not_found'])
      }
    },
  )

  test('invariant 11: data sources and pipes of another workspace are unchanged, and in no list, query or node', async () => {
    expect((await foreign('GET', '/v1/datasources')).body.datasources).toEqual([])
    expect((await foreign('GET', '/v1/pipes')).body.pipes).toEqual([])
    for (const query of ['SELECT * FROM hidden_rows', 'SELECT * FROM hidden_pipe'])
      expect((await foreign('POST', '/v1/sql', { query })).body.code).toBe('sql_error')
    expect((await foreign('POST', '/v1/pipes', PIPE)).body.errors).toMatchObject([{ path: 'nodes.0.sql' }])
    expect((await server.call('GET', '/v1/datasources/hidden_rows')).body.used_by).toEqual(['hidden_pipe'])
    const same = await foreign('POST', '/v1/datasources', { name: 'hidden_rows', schema: 'n String' })
    expect(same.status).toBe(201)
  })

  test('invariant 11: workflows and runs of another workspace are unchanged, and in no list', async () => {
    for (const path of ['/v1/workflows', '/v1/runs', `/v1/runs?workflow=hidden`, `/v1/runs?workflow_id=${workflow}`]) {
      const { body } = await foreign('GET', path)
      expect(body.workflows ?? body.runs).toEqual([])
    }
    expect((await server.call('GET', '/v1/workflows/hidden')).body).toMatchObject({ version: 1, state: 'active' })
    expect((await server.call('GET', `/v1/runs?workflow=hidden`)).body.runs).toHaveLength(1)
    const same = await foreign('POST', '/v1/workflows', { name: 'hidden', payload: [{ command: 'true' }] })
    expect(same.status).toBe(201)
  })

  test('invariant 11: an artifact is not uploaded into another workspace', async () => {
    const form = new FormData()
    form.set('file', new Blob(['x']), 'x.txt')
    const { token } = await makeToken({ name: 'up', role: 'admin', workspace: 'elsewhere' })
    const answer = await fetch(`${server.url}/v1/jobs/${job.job_id}/artifacts`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: form,
    })
    expect(answer.status).toBe(404)
    expect((await server.call('GET', `/v1/jobs/${job.job_id}/artifacts`)).body.artifacts).toEqual([])
  })

  test('invariant 11: no socket follows the log of another workspace', async () => {
    const { token } = await makeToken({ name: 'sock', role: 'reader', workspace: 'elsewhere' })
    expect(await open(`/v1/jobs/${job.job_id}/logs?token=${token}`)).toBe(404)
    expect(await open(`/v1/jobs/${job.job_id}/logs?token=${server.token}`)).toBe(101)
  })

  test('invariant 11: cancelling all cancels nothing of another workspace', async () => {
    const { body: waiting } = await server.call('POST', '/v1/jobs', {
      command: 'true',
      scheduled_at: new Date(Date.now() + 3_600_000).toISOString(),
    })
    expect((await foreign('POST', '/v1/jobs/cancel')).body).toEqual({ cancelled: 0, cancelling: 0 })
    expect((await server.call('GET', `/v1/jobs/${waiting.job_id}`)).body.status).toBe('pending')
  })
})

describe('a WebSocket', () => {
  const path = (): string => `/v1/events?token=${server.token}`

  test('can be opened by programs and by pages of this server', async () => {
    expect(await open(path())).toBe(101)
    expect(await open(path(), { origin: server.url })).toBe(101)
    expect(await open('/v1/events', { headers: { authorization: `Bearer ${server.token}` } })).toBe(101)
  })

  test.each(['http://evil.example', 'null', 'http://127.0.0.1:1', 'not a url'])(
    'cannot be opened by a page of %s',
    async origin => {
      expect(await open(path(), { origin })).toBe(403)
    },
  )

  test('needs a token', async () => {
    expect(await open('/v1/events')).toBe(401)
    expect(await open('/v1/events?token=mr_wrong')).toBe(401)
  })
})
