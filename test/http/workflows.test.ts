import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server?.stop())

/** With a secret wherever one is allowed. */
const DEFINITION = {
  name: 'nightly',
  description: 'Every night',
  labels: { team: 'data' },
  payload: [
    { command: 'true', name: 'first', environment: { API_TOKEN: 'item-token-value', PLAIN: 'shown' } },
    { command: ['true'], retry: { maximum_attempts: 1 } },
  ],
  environment: { DATABASE_PASSWORD: 'workflow-password', REGION: 'eu' },
  configuration: { retry: { maximum_attempts: 2, initial_interval: '1s' }, max_concurrent_requests: 3 },
  schedule: { crons: ['0 3 * * *'], time_zone: 'Europe/Berlin', overlap: 'queue_one', catch_up: '5m' },
  sinks: [
    {
      type: 'webhook',
      url: 'https://example.com/hook',
      headers: { Authorization: 'Bearer header-secret' },
      secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    },
  ],
  max_consecutive_failures: 4,
}
const SECRETS = ['item-token-value', 'workflow-password', 'header-secret', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw']

const make = async (body: object): Promise<{ workflow_id: string; name: string }> => {
  const made = await server.call('POST', '/v1/workflows', body)
  expect(made.status, JSON.stringify(made.body)).toBe(201)
  return made.body
}
const small = (name: string, more: object = {}) => ({ name, payload: [{ command: 'true' }], ...more })
const pathOf = (name: string, rest = '') => `/v1/workflows/${encodeURIComponent(name)}${rest}`

describe('a workflow', () => {
  let id: string
  beforeAll(async () => {
    const made = await server.call('POST', '/v1/workflows', DEFINITION)
    expect(made.status, JSON.stringify(made.body)).toBe(201)
    id = made.body.workflow_id
    expect(made.headers.get('location')).toBe(`${server.url}/v1/workflows/${id}`)
    expect(made.body).toMatchObject({ name: 'nightly', state: 'active', version: 1, items: 2 })
    expect(made.body).not.toHaveProperty('payload')
  })

  test('is read by id and by name, with its definition and its state', async () => {
    const { body: byId } = await server.call('GET', pathOf(id))
    const { body: byName } = await server.call('GET', pathOf('nightly'))
    expect(byName).toEqual(byId)
    expect(byId).toMatchObject({
      workflow_id: id,
      name: 'nightly',
      state: 'active',
      version: 1,
      consecutive_failures: 0,
      max_consecutive_failures: 4,
      items: 2,
      last_run_at: null,
      description: 'Every night',
      labels: { team: 'data' },
      configuration: DEFINITION.configuration,
      schedule: DEFINITION.schedule,
    })
    expect(byId.payload[1]).toMatchObject({ command: ['true'], retry: { maximum_attempts: 1 } })
    expect(Date.parse(byId.next_run_at)).toBeGreaterThan(Date.now())
    expect(byId.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  test('never shows the value of a secret', async () => {
    for (const path of [pathOf(id), '/v1/workflows']) {
      const text = JSON.stringify((await server.call('GET', path)).body)
      for (const secret of SECRETS) expect(text).not.toContain(secret)
    }
    const { body } = await server.call('GET', pathOf(id))
    expect(body.payload[0].environment).toEqual({ API_TOKEN: '***', PLAIN: 'shown' })
    expect(body.environment).toEqual({ DATABASE_PASSWORD: '***', REGION: 'eu' })
    expect(body.sinks[0]).toMatchObject({ secret: '***', headers: { Authorization: '***' } })
  })

  test('is unchanged after its GET answer was put back', async () => {
    const { body: before } = await server.call('GET', pathOf(id))
    const put = await server.call('PUT', pathOf(id), before)
    expect(put.status, JSON.stringify(put.body)).toBe(200)
    expect((await server.call('GET', pathOf(id))).body).toEqual(before)
  })

  test('has a higher version after each change', async () => {
    const { name } = await make(small('changing'))
    const changed = await server.call('PUT', pathOf(name), small(name, { description: 'new' }))
    expect([changed.status, changed.body.version, changed.body.description]).toEqual([200, 2, 'new'])
    const renamed = await server.call('PUT', pathOf(name), small('changed'))
    expect([renamed.status, renamed.body.version, renamed.body.name]).toEqual([200, 3, 'changed'])
    expect((await server.call('GET', pathOf(name))).status).toBe(404)
  })

  test('may have a name that must be encoded in a path', async () => {
    const name = 'a/b c?#%2e ü'
    const { workflow_id } = await make(small(name))
    expect((await server.call('GET', pathOf(name))).body.workflow_id).toBe(workflow_id)
    expect((await server.call('POST', pathOf(name, '/pause'))).body.state).toBe('paused')
    expect((await server.call('DELETE', pathOf(name))).status).toBe(204)
  })

  test('may be named like an action', async () => {
    for (const name of ['check', 'pause', 'trigger']) {
      const { workflow_id } = await make(small(name))
      expect((await server.call('GET', pathOf(name))).body.workflow_id).toBe(workflow_id)
      expect((await server.call('POST', pathOf(name, '/pause'))).body).toMatchObject({ workflow_id, state: 'paused' })
      expect((await server.call('GET', pathOf(name, '/slots'))).status).toBe(200)
    }
  })

  test('can be checked without being stored', async () => {
    const outcomeOf = async (body: object) => (await server.call('POST', '/v1/workflows/check', body)).body.outcome
    expect(await outcomeOf(small('unknown'))).toBe('new')
    await make(small('known'))
    expect(await outcomeOf(small('known'))).toBe('unchanged')
    expect(await outcomeOf(small('known', { description: 'x' }))).toBe('changed')
    expect((await server.call('GET', pathOf('unknown'))).status).toBe(404)
    const { body: known } = await server.call('GET', pathOf('known'))
    expect(known).toMatchObject({ version: 1 })
    expect(await outcomeOf(known)).toBe('unchanged')
  })

  test('that was read cannot be created under another name unchanged, and a check says so', async () => {
    await make(small('original'))
    const { body } = await server.call('GET', pathOf('original'))
    for (const path of ['/v1/workflows', '/v1/workflows/check']) {
      const refusal = await server.call('POST', path, { ...body, name: 'copy' })
      expect([path, refusal.status]).toEqual([path, 422])
      expect(refusal.body.errors.map((error: { path: string }) => error.path)).toContain('workflow_id')
    }
  })

  test('is paused, resumed and terminated, and repeating each changes nothing', async () => {
    const { name } = await make(small('moving'))
    for (const [call, state] of [
      ['pause', 'paused'],
      ['resume', 'active'],
      ['terminate', 'terminated'],
      ['resume', 'active'],
    ]) {
      for (const _again of [1, 2]) {
        const answer = await server.call('POST', pathOf(name, `/${call}`))
        expect([answer.status, answer.body.state]).toEqual([200, state])
      }
    }
    expect((await server.call('POST', pathOf(name, '/terminate'), { timeout_seconds: 1 })).status).toBe(200)
    expect((await server.call('POST', pathOf(name, '/pause'))).body.code).toBe('workflow_terminated')
  })

  test('can be deleted when it is not active', async () => {
    const { name } = await make(small('leaving'))
    const refused = await server.call('DELETE', pathOf(name))
    expect([refused.status, refused.body.code]).toEqual([409, 'workflow_active'])
    await server.call('POST', pathOf(name, '/pause'))
    expect((await server.call('DELETE', pathOf(name))).status).toBe(204)
    expect((await server.call('GET', pathOf(name))).status).toBe(404)
  })
})

describe('the list of workflows', () => {
  beforeAll(async () => {
    for (const name of ['list-a', 'list-b', 'LIST-c']) await make(small(name))
    await server.call('POST', pathOf('list-b', '/pause'))
  })
  const names = async (query: string) =>
    (await server.call('GET', `/v1/workflows${query}`)).body.workflows.map((one: { name: string }) => one.name)

  test('is newest first and has no payloads', async () => {
    const { body } = await server.call('GET', '/v1/workflows?query=list-')
    expect(body.workflows.map((one: { name: string }) => one.name)).toEqual(['LIST-c', 'list-b', 'list-a'])
    for (const one of body.workflows) expect(one).not.toHaveProperty('payload')
    expect(body.workflows[0].items).toBe(1)
    expect(body.next_cursor).toBeNull()
  })

  test('is filtered by state and by part of the name', async () => {
    expect(await names('?query=ist-&state=paused')).toEqual(['list-b'])
    expect(await names('?query=list-&state=active,terminated')).toEqual(['LIST-c', 'list-a'])
    expect(await names('?query=%25')).toEqual([])
  })

  test('is paged', async () => {
    const { body: first } = await server.call('GET', '/v1/workflows?query=list-&limit=2')
    expect(first.workflows).toHaveLength(2)
    const { body: rest } = await server.call('GET', `/v1/workflows?query=list-&limit=2&cursor=${first.next_cursor}`)
    expect(rest.workflows.map((one: { name: string }) => one.name)).toEqual(['list-a'])
    expect(rest.next_cursor).toBeNull()
  })

  test('is counted on request', async () => {
    expect((await server.call('GET', '/v1/workflows?query=list-&limit=1&count=true')).body.count).toBe(3)
    expect((await server.call('GET', '/v1/workflows?query=list-&state=paused&count=true')).body.count).toBe(1)
    for (const query of ['?limit=1', '?limit=1&count=false'])
      expect((await server.call('GET', `/v1/workflows${query}`)).body).not.toHaveProperty('count')
  })
})

describe('the slots of a workflow', () => {
  test('are listed with the time they fire at, if upcoming', async () => {
    const { name } = await make(small('soon', { schedule: { crons: ['0 9 * * MON-FRI'], jitter: '30s' } }))
    const { body } = await server.call('GET', pathOf(name, '/upcoming?count=3'))
    expect(body.slots).toHaveLength(3)
    for (const { slot, fire_at } of body.slots) {
      expect(slot).toMatch(/T09:00:00\.000Z$/)
      const late = Date.parse(fire_at) - Date.parse(slot)
      expect(late).toBeGreaterThanOrEqual(0)
      expect(late).toBeLessThan(30_000)
    }
    expect((await server.call('GET', pathOf(name, '/upcoming'))).body.slots).toHaveLength(10)
  })

  test('are empty without a schedule', async () => {
    const { name } = await make(small('unscheduled'))
    expect((await server.call('GET', pathOf(name, '/upcoming'))).body).toEqual({ state: 'active', slots: [] })
  })

  test('are empty while it is paused or terminated, and the answer says why', async () => {
    const { name } = await make(small('halted', { schedule: { crons: ['0 9 * * *'] } }))
    const upcoming = async () => (await server.call('GET', pathOf(name, '/upcoming?count=2'))).body
    expect(await upcoming()).toMatchObject({ state: 'active', slots: [{}, {}] })
    for (const [verb, state] of [
      ['pause', 'paused'],
      ['terminate', 'terminated'],
    ] as const) {
      await server.call('POST', pathOf(name, `/${verb}`))
      expect(await upcoming()).toEqual({ state, slots: [] })
    }
    await server.call('POST', pathOf(name, '/resume'))
    expect(await upcoming()).toMatchObject({ state: 'active', slots: [{}, {}] })
  })

  test('that fired are listed with their runs', async () => {
    const { name } = await make(small('every-second', { schedule: { intervals: [{ every: '1s' }] } }))
    const fired = async () => (await server.call('GET', pathOf(name, '/slots'))).body.slots
    await expect.poll(async () => (await fired()).length, { timeout: 20_000 }).toBeGreaterThan(0)
    await server.call('POST', pathOf(name, '/terminate'))
    const [slot] = (await fired()).toReversed()
    const counted = await server.call('GET', pathOf(name, '/slots?limit=1&count=true'))
    expect(counted.body.count).toBe((await fired()).length)
    expect(slot).toMatchObject({ last_slot: slot.slot, count: 1, outcome: 'fired', reason: null })
    expect((await server.call('GET', `/v1/runs/${slot.run_id}`)).body).toMatchObject({
      trigger: 'automatic',
      scheduled_at: slot.slot,
    })
  })
})

describe('a schedule preview', () => {
  const preview = (body: object) => server.call('POST', '/v1/schedules/preview', body)

  test('returns the slots after an instant, excluding it', async () => {
    const schedule = { intervals: [{ every: '1h', offset: '5m' }] }
    const { status, body } = await preview({ schedule, after: '2026-11-21T10:05:00Z', count: 2 })
    expect([status, body]).toEqual([200, { slots: ['2026-11-21T11:05:00.000Z', '2026-11-21T12:05:00.000Z'] }])
  })

  test('starts now by default', async () => {
    const { body } = await preview({ schedule: { crons: ['*/5 * * * *'] } })
    expect(body.slots).toHaveLength(10)
    expect(Date.parse(body.slots[0])).toBeGreaterThan(Date.now() - 5000)
  })
})

describe('a caller may', () => {
  beforeAll(() => make(small('taken')))
  const tokenWith = async (scopes: readonly string[]): Promise<string> =>
    (await server.call('POST', '/v1/tokens', { name: 'some', scopes })).body.token

  test('create a workflow with the scope to run each kind of its payload', async () => {
    const token = await tokenWith(['workflows:write', 'jobs:run:query'])
    const headers = { authorization: `Bearer ${token}` }
    for (const path of ['/v1/workflows', '/v1/workflows/check']) {
      const answer = await server.call('POST', path, small('foreign'), headers)
      expect([answer.status, answer.body.code]).toEqual([403, 'forbidden'])
      expect(answer.body.detail).toContain('jobs:run:command')
    }
    expect((await server.call('PUT', pathOf('taken'), small('taken', { description: 'x' }), headers)).status).toBe(403)
  })

  test('trigger it with the scope to run each kind, whatever the scopes of its author', async () => {
    const token = await tokenWith(['workflows:write', 'jobs:run:query'])
    const answer = await server.call('POST', pathOf('taken', '/trigger'), undefined, {
      authorization: `Bearer ${token}`,
    })
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden'])
  })

  test('read but not change it as a reader', async () => {
    const made = await server.call('POST', '/v1/tokens', { name: 'reader', role: 'reader' })
    const headers = { authorization: `Bearer ${made.body.token}` }
    for (const rest of ['', '/runs', '/jobs', '/slots', '/upcoming'])
      expect((await server.call('GET', pathOf('taken', rest), undefined, headers)).status).toBe(200)
    for (const [method, rest] of [
      ['POST', '/pause'],
      ['POST', '/trigger'],
      ['DELETE', ''],
    ] as const)
      expect((await server.call(method, pathOf('taken', rest), undefined, headers)).body.code).toBe('forbidden')
  })
})

test('the schema of workflow files needs no token and describes the fields of a file', async () => {
  const response = await fetch(`${server.url}/schemas/workflow.json`)
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'application/schema+json; charset=utf-8',
  ])
  const schema = (await response.json()) as { properties: { payload: { items: { anyOf: { title: string }[] } } } }
  expect(schema).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' })
  expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(['name', 'payload', 'schedule', 'sinks']))
  const kinds = schema.properties.payload.items.anyOf.map(one => one.title)
  expect(kinds).toEqual(expect.arrayContaining(['command', 'http']))
})
