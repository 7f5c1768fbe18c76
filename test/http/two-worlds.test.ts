import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { ACCESS } from '../../src/http/auth/access.ts'
import { startTestServer, type TestServer } from '../server.ts'
import { NOBODY } from './scenario.ts'
import { later, makeWorld, type World } from './world.ts'

let server: TestServer
/** The attacker, with all scopes in its own workspace. */
let own: World
/** The workspace of which nothing may be visible. */
let hidden: World
let before: Awaited<ReturnType<World['read']>>

beforeAll(async () => {
  // Without the role that delivers: deliveries wait.
  server = await startTestServer({ settings: { roles: 'api,worker' } })
  own = await makeWorld(server, 'seen')
  hidden = await makeWorld(server, 'hidden')
  before = await hidden.read()
})
afterAll(() => server?.stop())

type Place = { readonly pattern: string; readonly method: string; readonly path: string }

const PLACES: readonly Place[] = Object.keys(ACCESS)
  .filter(route => route.includes(':'))
  .map(route => {
    const [method = '', path = ''] = route.split(' ')
    return { pattern: route, method, path }
  })

const namesIn = (path: string): readonly string[] => [...path.matchAll(/:(\w+)/g)].map(([, name]) => name!)

/** Names of the same form that belong to nothing. */
const noOne = (name: string): string => {
  if (name.startsWith('t_')) return `t_${NOBODY.replaceAll('-', '')}`
  return name.startsWith('0') ? NOBODY : 'n'.repeat(name.length)
}

type Pair = { readonly there: string; readonly nowhere: string }

/**
 * Each way to fill the parameters of a path with at least one name of the hidden world, others of the own; beside it the same with
 * names that nothing has.
 */
const fillings = (path: string): readonly Pair[] => {
  const start = [{ there: path, nowhere: path, isForeign: false }]
  const all = namesIn(path).reduce(
    (found, name) =>
      found.flatMap(one => [
        ...own.names[name]!.slice(0, 2).map(mine => ({
          ...one,
          there: one.there.replace(`:${name}`, mine),
          nowhere: one.nowhere.replace(`:${name}`, mine),
        })),
        ...hidden.names[name]!.map(theirs => ({
          there: one.there.replace(`:${name}`, theirs),
          nowhere: one.nowhere.replace(`:${name}`, noOne(theirs)),
          isForeign: true,
        })),
      ]),
    start,
  )
  return all.filter(({ isForeign }) => isForeign)
}

const text = (body: unknown): string => (typeof body === 'string' ? body : JSON.stringify(body))

/** The response to any request of the own world contains nothing of the hidden one except what was sent. */
const expectNothingHidden = (body: unknown, asked: string): void => {
  const secrets = [hidden.said, hidden.mark, ...Object.values(hidden.names).flat(), hidden.token]
  const repeated = secrets.filter(secret => decodeURIComponent(asked).includes(secret))
  for (const secret of secrets.filter(one => !repeated.includes(one))) expect(text(body), asked).not.toContain(secret)
}

/** A name of the own world for which the path exists. */
const foundBy = (path: string, name: string): string => {
  const names = own.names[name]!
  if (name !== 'job_id') return names[0]!
  const [command, query] = names
  return path.endsWith('/result') || path.includes('/v0/') ? query! : command!
}

/** Valid bodies, so that only the name in the path is wrong. */
const bodyOf = ({ method, path }: Place): unknown => {
  if (path.endsWith('/progress')) return { percentage: 1 }
  if (path.endsWith('/extend')) return { payload: [{ command: 'true' }], timeout: true }
  if (method !== 'PUT') return undefined
  if (path.includes('/workflows/')) return { name: own.mark, payload: [{ command: 'true' }] }
  if (path.includes('/datasources/')) return { description: 'mine now' }
  return { name: own.mark, nodes: [{ name: 'a', sql: `SELECT n FROM ${own.mark}_rows` }] }
}

const ask = async (place: Place, path: string): Promise<{ status: number; body: unknown }> => {
  if (place.pattern.endsWith('/artifacts') && place.method === 'POST') {
    const form = new FormData()
    form.set('file', new Blob(['x']), 'x.txt')
    const answer = await own.send('POST', path, form)
    return { status: answer.status, body: await answer.json() }
  }
  if (place.path.endsWith('/import')) {
    const answer = await own.send('POST', path, { text: 'n,note\n1,a\n', type: 'text/csv' })
    return { status: answer.status, body: await answer.json() }
  }
  const query = place.path.includes('v0') && /\/delete\/?$/.test(place.path) ? '?delete_condition=1' : ''
  return own.call(place.method, path + query, bodyOf(place))
}

/** A response without the name that was asked for. */
const withoutName = ({ status, body }: { status: number; body: unknown }, path: string): string => {
  const names = path.split('/').filter(part => /^[\w-]{4,}$/.test(part))
  return names.reduce((left, name) => left.replaceAll(name, '…'), `${status} ${text(body)}`)
}

describe('invariant 11', () => {
  test.each(PLACES)('$pattern does not distinguish a thing of another workspace from a missing one', async place => {
    const pairs = fillings(place.path)
    expect(pairs).not.toEqual([])
    for (const { there, nowhere } of pairs) {
      const [one, other] = [await ask(place, there), await ask(place, nowhere)]
      expect(one.status, `${there}: ${text(one.body)}`).toBe(404)
      expectNothingHidden(one.body, there)
      expect(withoutName(one, there), there).toBe(withoutName(other, nowhere))
    }
  })

  test.each(PLACES.filter(({ method }) => method === 'GET'))(
    '$pattern finds things of its own workspace',
    async place => {
      const path = namesIn(place.path).reduce(
        (left, name) => left.replace(`:${name}`, foundBy(place.path, name)),
        place.path,
      )
      expect((await ask(place, path)).status, path).toBe(200)
    },
  )

  test('no filter, cursor or other GET parameter shows anything of another workspace', async () => {
    const { paths } = (await server.call('GET', '/openapi.json')).body
    const cursors = await Promise.all(
      ['jobs', 'runs', 'workflows', 'deliveries', 'datasources', 'pipes'].map(
        async list => (await hidden.call('GET', `/v1/${list}?limit=1`)).body.next_cursor,
      ),
    )
    const values = [
      hidden.mark,
      `owner:${hidden.said}`,
      ...Object.values(hidden.names).flat(),
      ...cursors.filter(Boolean),
    ]
    let asked = 0
    for (const [pattern, { get }] of Object.entries<{ get?: { parameters?: { in: string; name: string }[] } }>(paths)) {
      const parameters = get?.parameters?.filter(one => one.in === 'query' && !/^(wait|token)$/.test(one.name)) ?? []
      if (pattern === '/v1/events') continue
      const path = pattern.replaceAll(/\{(\w+)\}/g, (_, name: string) => own.names[name]![0]!)
      for (const { name } of parameters)
        for (const value of values) {
          const url = `${path}?${new URLSearchParams({ [name]: value })}`
          const { status, body } = await own.call('GET', url)
          expect(status, url).toBeLessThan(500)
          expectNothingHidden(body, url)
          asked++
        }
    }
    expect(asked).toBeGreaterThan(500)
  })

  test('SQL that does not name another workspace finds nothing of it either', async () => {
    for (const query of [
      'SELECT * FROM system.jobs_log',
      'SELECT * FROM system.datasources_ops_log',
      'SELECT * FROM system.tables',
      'SELECT name FROM system.databases',
      'SELECT * FROM system.query_log',
    ]) {
      const { body } = await own.call('POST', '/v1/sql', { query })
      expectNothingHidden(body, query)
    }
  })

  /** Every name in a body that can refer to something; none may have an effect. */
  const BODIES: Readonly<Record<string, (h: World) => readonly [path: string, body: unknown]>> = {
    'an upload': h => ['/v1/jobs', { import: { datasource: `${own.mark}_rows`, url: h.upload } }],
    'a data source to import into': h => [
      '/v1/jobs',
      { import: { datasource: h.names.datasource![0], url: own.upload } },
    ],
    'a data source to write': h => [
      '/v1/jobs',
      { query: 'SELECT 1 AS n', datasource: `${h.mark}_sums`, mode: 'append' },
    ],
    'a data source to delete from': h => ['/v1/jobs', { delete: { datasource: `${h.mark}_rows`, condition: '1' } }],
    'a pipe to copy': h => ['/v1/jobs', { copy: { pipe: h.names.pipe![0] } }],
    'a pipe to populate': h => ['/v1/jobs', { populate: { pipe: `${h.mark}_pipe` } }],
    'a table to read': h => ['/v1/jobs', { query: `SELECT * FROM ${h.mark}_rows` }],
    'a node to read': h => ['/v1/sql', { query: `SELECT * FROM ${h.mark}_pipe` }],
    'a job of the history': h => [
      '/v1/sql',
      { query: `SELECT * FROM system.jobs_log WHERE job_id = '${h.names.job_id![0]}'` },
    ],
    'a copy into a data source': h => [
      '/v1/pipes',
      { name: 'thief', nodes: [{ name: 'a', sql: `SELECT n FROM ${own.mark}_rows`, copy_into: `${h.mark}_sums` }] },
    ],
    'a node that reads a data source': h => [
      '/v1/pipes',
      { name: 'thief', nodes: [{ name: 'a', sql: `SELECT n FROM ${h.mark}_rows` }] },
    ],
    'an upload to infer from': h => ['/v1/datasources/infer', { url: h.upload }],
    'jobs to cancel': h => ['/v1/jobs/cancel', { parent_job_id: h.names.job_id![0] }],
    'a name of jobs to cancel': h => ['/v1/jobs/cancel', { name: h.mark }],
    'notifications to mark': h => ['/v1/notifications/read', { ids: [h.names.run_id![0]] }],
  }
  test.each(Object.entries(BODIES))('a body with %s of another workspace has no effect', async (_, bodyWith) => {
    const [path, body] = bodyWith(hidden)
    const answer = await own.call('POST', path, body)
    const result = answer.body.job_id ? (await own.call('GET', `/v1/jobs/${answer.body.job_id}?wait=60`)).body : null
    expectNothingHidden([answer.body, result], text(body))
    if (result !== null) expect(result.status, text(result)).toBe('failed')
    else if (answer.status < 300 && path !== '/v1/pipes')
      expect(text(answer.body)).toMatch(/^\[\]$|"cancelled":0|"read":0/)
  })

  test('after all this the hidden workspace is unchanged', async () => {
    expect(await hidden.read()).toEqual(before)
  })

  test('an Idempotency-Key belongs to one workspace', async () => {
    const headers = { 'idempotency-key': 'the-same' }
    const body = { command: 'true', scheduled_at: later() }
    const theirs = await hidden.call('POST', '/v1/jobs', body, headers)
    const mine = await own.call('POST', '/v1/jobs', body, headers)
    expect([theirs.status, mine.status, mine.headers.get('idempotency-replayed')]).toEqual([201, 201, null])
    expect(mine.body.job_id).not.toBe(theirs.body.job_id)
    const other = await own.call('POST', '/v1/jobs', { ...body, name: 'x' }, headers)
    expect(other.body.code).toBe('idempotency_mismatch')
  })

  test('no stream of events reports on another workspace, whatever its filters', async () => {
    const [job, run, workflow] = [hidden.names.job_id![0], hidden.names.run_id![0], hidden.names.workflow![0]]
    const queries = ['', `?job_id=${job}`, `?run_id=${run}`, `?workflow_id=${workflow}`]
    const listeners = await Promise.all(
      queries.map(async query => {
        const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/events${query}`, {
          headers: { authorization: `Bearer ${own.token}` },
        })
        const heard: string[] = []
        socket.on('message', data => heard.push(String(data)))
        await once(socket, 'open')
        return { socket, heard }
      }),
    )
    const [all, ...others] = listeners
    const { job_id: theirs } = (await hidden.call('POST', `/v1/jobs/${job}/rerun`)).body
    await hidden.call('GET', `/v1/jobs/${theirs}?wait=60`)
    expect((await hidden.call('POST', `/v1/jobs/${theirs}/cancel`)).status).toBe(409)
    const { job_id: mine } = (await own.call('POST', '/v1/jobs', { command: 'true' })).body
    await expect.poll(() => all!.heard.join(), { timeout: 20_000 }).toContain('job.completed')
    for (const event of all!.heard) expect(JSON.parse(event).job_id).toBe(mine)
    for (const { heard } of others) expect(heard).toEqual([])
    for (const { socket } of listeners) socket.terminate()
  })
})
