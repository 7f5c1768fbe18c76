import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ACCESS } from '../../src/http/auth/access.ts'
import { hashToken } from '../../src/http/auth/callers.ts'
import { ROLE_SCOPES, ROLES, type Role, SCOPES, type Scope } from '../../src/model/scopes.ts'
import { startTestServer, type TestServer } from '../server.ts'
import { NOBODY } from './scenario.ts'

/** A server whose tokens have one scope each: what they may do is read from `docs/api/tokens.md`, not from the table of routes. */
let server: TestServer
const tokens = new Map<Scope, string>()

/** In an empty workspace of their own. */
const makeToken = async (rights: { scopes: readonly string[] } | { role: Role }, expires_at?: string) =>
  (
    await server.call('POST', '/v1/tokens', {
      name: 'one',
      workspace: 'empty',
      expires_at: expires_at ?? null,
      ...rights,
    })
  ).body as { token: string; token_id: string }

beforeAll(async () => {
  server = await startTestServer()
  await server.call('POST', '/v1/workspaces', { name: 'empty' })
  for (const scope of SCOPES) tokens.set(scope, (await makeToken({ scopes: [scope] })).token)
})
afterAll(() => server?.stop())

const ROUTES = Object.keys(ACCESS)
  .filter(route => ACCESS[route]!.scope !== 'public')
  .map(route => {
    const [method = '', path = ''] = route.split(' ')
    return { route, method, path }
  })

/** Routes that answer, without streams. */
const call = async (token: string, { method, path }: { method: string; path: string }): Promise<number> => {
  const answer = await fetch(server.url + path.replaceAll(/:\w+/g, NOBODY), {
    method,
    headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
  })
  await answer.text()
  return answer.status
}

/** Which of these scopes a call requires, according to the documentation. */
const rightsOf = (method: string, path: string): readonly Scope[] => {
  const isTinybird = /\/v0\//.test(path)
  const [area = '', ...rest] = path
    .replace(/^(\/tinybird)?\/v[01]\//, '')
    .replace(/\/$/, '')
    .split('/')
  const last = rest.at(-1) ?? ''
  const way = method === 'GET' ? 'read' : 'write'
  switch (area) {
    case 'jobs':
      if (method === 'POST' && (last === '' || last === 'batch' || last === 'rerun')) return SCOPES.filter(isToRun)
      return method === 'POST' && last === 'artifacts' ? ['artifacts:write'] : [`jobs:${way}`]
    case 'workflows':
    case 'runs':
      return [last === 'jobs' ? 'jobs:read' : `workflows:${way}`]
    case 'deliveries':
    case 'notifications':
      return [`workflows:${way}`]
    case 'schedules':
      return ['workflows:read']
    case 'analytics':
    case 'events':
      return ['jobs:read']
    case 'sql':
      return ['jobs:run:query']
    case 'datasources':
      if (method === 'POST' && (last === 'import' || last === 'infer' || (isTinybird && last === '')))
        return ['jobs:run:import']
      return [last === 'delete' ? 'jobs:run:delete' : `datasources:${way}`]
    case 'pipes':
      if (last === 'population') return ['jobs:run:populate']
      if (last === 'copy') return ['jobs:run:copy']
      return [rest.includes('copy') ? 'workflows:write' : `pipes:${way}`]
    case 'tokens':
      return [`tokens:${way}`]
    case 'workspaces':
      return [`workspaces:${way}`]
    default:
      return ['system:read']
  }
}

const isToRun = (scope: Scope): boolean => scope.startsWith('jobs:run:')

describe('each route', () => {
  test.each(ROUTES)('$route requires its scope and no other', async ({ method, path }) => {
    const rights = rightsOf(method, path)
    const answers = await Promise.all(
      SCOPES.map(async scope => [scope, await call(tokens.get(scope)!, { method, path })] as const),
    )
    const admitted = answers.filter(([, status]) => status !== 403).map(([scope]) => scope)
    expect(admitted).toEqual(SCOPES.filter(scope => rights.includes(scope)))
    for (const [, status] of answers) expect([401, 500]).not.toContain(status)
  })

  test('requires the same scope for HEAD as for GET', async () => {
    for (const { path } of ROUTES.filter(({ method }) => method === 'GET')) {
      const rights = rightsOf('GET', path)
      const lacking = SCOPES.find(scope => !rights.includes(scope))!
      expect(await call(tokens.get(lacking)!, { method: 'HEAD', path }), path).toBe(403)
      expect(await call(tokens.get(rights[0]!)!, { method: 'HEAD', path }), path).not.toBe(403)
    }
  })
})

describe('no route accepts', () => {
  const NONE: Readonly<Record<string, () => Promise<string>>> = {
    'a token that was deleted': async () => {
      const { token, token_id } = await makeToken({ role: 'admin' })
      expect(await call(token, { method: 'GET', path: '/v1/jobs' })).toBe(200)
      const { token: other } = await makeToken({ role: 'admin' })
      const headers = { authorization: `Bearer ${other}` }
      expect((await server.call('DELETE', `/v1/tokens/${token_id}`, undefined, headers)).status).toBe(204)
      return token
    },
    'an expired token': async () => {
      const { token } = await makeToken({ role: 'admin' }, new Date(Date.now() + 500).toISOString())
      const status = () => call(token, { method: 'GET', path: '/v1/jobs' })
      await expect.poll(status, { timeout: 10_000 }).toBe(401)
      return token
    },
    'the token of a job that has ended': async () => {
      const { job_id } = await server.run({ command: 'true' })
      return server.engine.jobTokens.issue(job_id, 1)
    },
    'the token of an attempt that never existed': async () => {
      const { job_id } = await server.run({ command: 'true' })
      return server.engine.jobTokens.issue(job_id, 2)
    },
    'the hash of a token': async () => hashToken(server.token),
    'a token in capitals': async () => server.token.toUpperCase(),
    'a token with text appended': async () => `${server.token}x`,
    'two tokens': async () => `${server.token} ${server.token}`,
    'a token in quotes': async () => `"${server.token}"`,
  }
  test.each(Object.entries(NONE))('%s', async (_, make) => {
    const token = await make()
    for (const { route, ...place } of ROUTES) expect(await call(token, place), route).toBe(401)
  })
})

describe('a new token has no more scopes than its creator', () => {
  const MAKERS: readonly (readonly Scope[])[] = [
    ...ROLES.map(role => [...new Set<Scope>([...ROLE_SCOPES[role], 'tokens:write'])]),
    ...SCOPES.map(scope => [...new Set<Scope>([scope, 'tokens:write'])]),
  ]
  test.each(MAKERS.map(scopes => ({ scopes })))('with $scopes', async ({ scopes }) => {
    const { token } = await makeToken({ scopes })
    const give = async (rights: object) => {
      const headers = { authorization: `Bearer ${token}` }
      return (await server.call('POST', '/v1/tokens', { name: 'made', ...rights }, headers)).status
    }
    const has = (wanted: readonly Scope[]): number => (wanted.every(one => scopes.includes(one)) ? 201 : 403)
    for (const scope of SCOPES) expect(await give({ scopes: [scope] }), scope).toBe(has([scope]))
    for (const role of ROLES) expect(await give({ role }), role).toBe(has(ROLE_SCOPES[role]))
    expect(await give({ role: 'instance_admin' })).toBe(422)
    expect(await give({ scopes: [...SCOPES] })).toBe(has(SCOPES))
    if (!scopes.includes('workspaces:write')) {
      expect(await give({ scopes: ['tokens:write'], workspace: 'default' })).toBe(403)
      expect(await give({ scopes: ['tokens:write'], workspace: 'nowhere' })).toBe(403)
    }
  })
})
