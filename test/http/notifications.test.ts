import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'
import { NOBODY, scenarios } from './scenario.ts'

let server: TestServer
let workflowId: string
let headers: Record<string, string> | undefined

beforeAll(async () => {
  server = await startTestServer()
  const made = await server.call('POST', '/v1/workflows', {
    name: 'fragile',
    payload: [{ command: 'false', retry: { maximum_attempts: 1 } }],
    max_consecutive_failures: 2,
  })
  workflowId = made.body.workflow_id
})
afterAll(() => server?.stop())

type Notification = { notification_id: string; type: string; run_id: string; read_at: string | null }
const list = async (query = ''): Promise<Notification[]> =>
  (await server.call('GET', `/v1/notifications${query}`, undefined, headers)).body.notifications
const mark = (body: object) => server.call('POST', '/v1/notifications/read', body, headers)
const prefer = (preference: string) => server.call('PUT', '/v1/notifications/preference', { preference })

const failOnce = async (): Promise<string> => {
  const { body } = await server.call('POST', '/v1/workflows/fragile/trigger')
  const status = async () => (await server.call('GET', `/v1/runs/${body.run_id}`)).body.status
  await expect.poll(status, { timeout: 20_000 }).toBe('failed')
  return body.run_id
}

describe('notifications', () => {
  test('are only alerts unless all are requested', async () => {
    expect((await server.call('GET', '/v1/notifications/preference')).body).toEqual({ preference: 'alerts' })
    const earlier = await failOnce()
    expect(await list()).toEqual([])
    const last = await failOnce()
    expect(await list()).toEqual([
      {
        notification_id: expect.any(String),
        type: 'workflow.terminated',
        severity: 'alert',
        title: expect.stringContaining('fragile'),
        message: expect.any(String),
        workflow_id: workflowId,
        run_id: last,
        job_id: null,
        created_at: expect.any(String),
        read_at: null,
      },
    ])
    expect((await server.call('GET', '/v1/workflows/fragile')).body).toMatchObject({
      state: 'terminated',
      consecutive_failures: 2,
    })
    const chosen = await prefer('all')
    expect([chosen.status, chosen.body]).toEqual([200, { preference: 'all' }])
    expect((await server.call('GET', '/v1/notifications/preference')).body).toEqual({ preference: 'all' })
    const failed = (await list()).filter(({ type }) => type === 'run.failed').map(({ run_id }) => run_id)
    expect(failed.toSorted()).toEqual([earlier, last].toSorted())
    await prefer('none')
    expect(await list()).toEqual([])
    await prefer('all')
  })

  test('can be marked as read one by one or all at once', async () => {
    const [one] = await list()
    const before = (await list('?unread=true')).length
    expect((await mark({ ids: [one!.notification_id, NOBODY, 'nothing'] })).body).toEqual({ read: 1 })
    expect((await mark({ ids: [one!.notification_id] })).body).toEqual({ read: 0 })
    expect((await list('?unread=true')).length).toBe(before - 1)
    expect((await list('?unread=false')).length).toBe(before)
    expect((await list())[0]?.read_at).toMatch(/Z$/)
    expect((await mark({ all: true })).body).toEqual({ read: before - 1 })
    expect(await list('?unread')).toEqual([])
  })

  test('are listed in pages', async () => {
    const { body: first } = await server.call('GET', '/v1/notifications?limit=1')
    expect(first.notifications).toHaveLength(1)
    const rest = await list(`?cursor=${first.next_cursor}`)
    expect([...first.notifications, ...rest]).toEqual(await list())
  })

  test('are counted on request', async () => {
    const { body } = await server.call('GET', '/v1/notifications?limit=1&count=true')
    expect(body.count).toBe((await list()).length)
    expect(body.count).toBeGreaterThan(1)
    expect((await server.call('GET', '/v1/notifications?unread=true&count=true')).body.count).toBe(0)
  })

  test('invariant 11: are invisible to another workspace', async () => {
    await server.call('POST', '/v1/workspaces', { name: 'curious' })
    const made = await server.call('POST', '/v1/tokens', { name: 'c', role: 'admin', workspace: 'curious' })
    const [one] = await list()
    headers = { authorization: `Bearer ${made.body.token}` }
    expect(await list()).toEqual([])
    expect((await mark({ ids: [one!.notification_id] })).body).toEqual({ read: 0 })
    expect((await mark({ all: true })).body).toEqual({ read: 0 })
    headers = undefined
  })

  const read = { method: 'POST', path: '/v1/notifications/read', status: 422, code: 'invalid' } as const
  const put = { method: 'PUT', path: '/v1/notifications/preference', status: 422, code: 'invalid' } as const
  scenarios(
    () => server,
    [
      { ...read, name: 'neither some nor all', json: {}, fields: ['ids'] },
      { ...read, name: 'some and all', json: { ids: [NOBODY], all: true }, fields: ['ids'] },
      { ...read, name: 'not all', json: { all: false }, fields: ['all'] },
      { ...read, name: 'none of them', json: { ids: [] }, fields: ['ids'] },
      { ...read, name: 'invalid ids', json: { ids: [1] }, fields: ['ids.0'] },
      { ...put, name: 'an invalid preference', json: { preference: 'some' }, fields: ['preference'] },
      { ...put, name: 'no preference', json: {}, fields: ['preference'] },
      { name: 'an invalid value of unread', path: '/v1/notifications?unread=maybe', status: 422, fields: ['unread'] },
      { name: 'an invalid cursor', path: '/v1/notifications?cursor=abc', status: 422, code: 'invalid_cursor' },
    ],
  )
})
