import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DeliveryEnd } from '../../src/store/sink-store.ts'
import { startTestServer, type TestServer } from '../server.ts'
import { NOBODY, scenarios } from './scenario.ts'

let server: TestServer
let first: { job_id: string }
let second: { job_id: string }

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const sink = (more: object = {}) => ({ type: 'webhook', url: 'https://example.com/hook', secret: SECRET, ...more })

/** Without the deliverer role: the tests decide how each delivery ends. */
beforeAll(async () => {
  server = await startTestServer({ settings: { roles: 'api,worker' } })
  first = await server.run({ command: 'true', sinks: [sink(), sink({ headers: { 'X-Api-Key': 'header-secret' } })] })
  second = await server.run({ command: 'false', sinks: [sink(), sink({ skip_on_fail: true })] })
  await server.run({ command: 'true' })
})
afterAll(() => server?.stop())

const list = async (query = '') => {
  const { status, body } = await server.call('GET', `/v1/deliveries${query}`)
  expect(status, JSON.stringify(body)).toBe(200)
  return body.deliveries
}

/** Does what the deliverer does: claims a delivery and ends it. */
const end = async (deliveryId: string, how: Pick<DeliveryEnd, 'outcome' | 'lastStatus' | 'lastError'>) => {
  const { claimed } = await server.store.claimDeliveries({ limit: 100, leaseMs: 60_000 })
  const ends = claimed.map(({ delivery, claimToken }) =>
    delivery.id === deliveryId
      ? { deliveryId, claimToken, ...how }
      : {
          deliveryId: delivery.id,
          claimToken,
          lastStatus: null,
          lastError: null,
          outcome: { type: 'retry' as const, delayMs: 0 },
        },
  )
  expect(ends.some(one => one.deliveryId === deliveryId)).toBe(true)
  await server.store.endDeliveries(ends)
}

describe('a delivery', () => {
  test('is created for each sink that wants the end of a job', async () => {
    const deliveries = await list()
    const about = (job: { job_id: string }, sink_index: number) =>
      expect.objectContaining({ job_id: job.job_id, sink_index, status: 'pending', run_id: null, kind: 'command' })
    expect(deliveries).toHaveLength(3)
    expect(deliveries).toEqual(expect.arrayContaining([about(first, 0), about(first, 1), about(second, 0)]))
    expect(deliveries[0].job_id).toBe(second.job_id)
  })

  test('shows its sink without secrets', async () => {
    const delivery = (await list(`?job_id=${first.job_id}`)).find((one: { sink_index: number }) => one.sink_index === 1)
    const { body } = await server.call('GET', `/v1/deliveries/${delivery.delivery_id}`)
    expect(body).toEqual({
      ...delivery,
      sink: { type: 'webhook', url: 'https://example.com/hook', secret: '***', headers: { 'X-Api-Key': '***' } },
    })
  })

  test('shows how its last try ended, and can be sent again once it has ended', async () => {
    const [{ delivery_id: id }] = await list(`?job_id=${second.job_id}`)
    const read = async () => (await server.call('GET', `/v1/deliveries/${id}`)).body
    const redeliver = () => server.call('POST', `/v1/deliveries/${id}/redeliver`)

    expect((await redeliver()).body).toMatchObject({ status: 409, code: 'delivery_pending' })
    await end(id, { outcome: { type: 'stopped' }, lastStatus: 410, lastError: 'answered 410' })
    expect(await read()).toMatchObject({
      status: 'stopped',
      tries: 1,
      last_status: 410,
      last_error: 'answered 410',
      next_try_at: null,
      last_try_at: expect.any(String),
      delivered_at: null,
    })
    expect(await list('?status=stopped')).toHaveLength(1)

    const again = await redeliver()
    expect([again.status, again.body.delivery_id, again.body.status]).toEqual([200, id, 'pending'])
    await end(id, { outcome: { type: 'delivered' }, lastStatus: 204, lastError: null })
    expect(await read()).toMatchObject({ status: 'delivered', delivered_at: expect.any(String), last_error: null })
  })

  test('is listed by job, workflow, run and status', async () => {
    expect(await list(`?job_id=${first.job_id}`)).toHaveLength(2)
    expect(await list(`?job_id=${first.job_id}&status=delivered`)).toEqual([])
    expect(await list(`?workflow_id=${NOBODY}`)).toEqual([])
    for (const name of ['job_id', 'run_id', 'workflow_id']) expect(await list(`?${name}=nobody`)).toEqual([])
    await server.call('POST', '/v1/workflows', { name: 'told', payload: [{ command: 'true' }], sinks: [sink()] })
    const { body } = await server.call('POST', '/v1/workflows/told/trigger')
    await expect.poll(async () => (await list(`?run_id=${body.run_id}`)).length, { timeout: 20_000 }).toBe(1)
    const [delivery] = await list(`?run_id=${body.run_id}`)
    expect(await list(`?workflow_id=${delivery.workflow_id}`)).toEqual([delivery])
  })

  test('is listed in pages', async () => {
    const { body: one } = await server.call('GET', '/v1/deliveries?limit=1')
    const { body: next } = await server.call('GET', `/v1/deliveries?limit=1&cursor=${one.next_cursor}`)
    expect(one.deliveries[0].delivery_id).not.toBe(next.deliveries[0].delivery_id)
  })

  test('is counted on request', async () => {
    const count = async (query: string) => (await server.call('GET', `/v1/deliveries?count=true${query}`)).body.count
    expect(await count('&limit=1')).toBe((await list()).length)
    expect(await count(`&job_id=${first.job_id}`)).toBe((await list(`?job_id=${first.job_id}`)).length)
    expect(await count('&job_id=nobody')).toBe(0)
  })

  test('keeps its job from being purged while it is pending, and is purged with it later', async () => {
    const purge = () => server.call('POST', `/v1/jobs/${first.job_id}/purge`)
    const [{ delivery_id }] = await list(`?job_id=${first.job_id}`)
    const refused = await purge()
    expect(refused.body).toMatchObject({ status: 409, code: 'delivery_pending' })
    expect(refused.body.detail).toContain(`/v1/deliveries?job_id=${first.job_id}&status=pending`)
    expect((await server.call('GET', `/v1/jobs/${first.job_id}`)).status).toBe(200)
    for (const one of await list(`?job_id=${first.job_id}&status=pending`))
      await end(one.delivery_id, { outcome: { type: 'failed' }, lastStatus: 500, lastError: 'no' })
    expect((await purge()).status).toBe(204)
    expect((await server.call('GET', `/v1/deliveries/${delivery_id}`)).status).toBe(404)
    expect(await list(`?job_id=${first.job_id}`)).toEqual([])
  })

  test('invariant 11: is invisible to another workspace', async () => {
    const [{ delivery_id }] = await list()
    await server.call('POST', '/v1/workspaces', { name: 'curious' })
    const made = await server.call('POST', '/v1/tokens', { name: 'c', role: 'admin', workspace: 'curious' })
    const headers = { authorization: `Bearer ${made.body.token}` }
    expect((await server.call('GET', '/v1/deliveries', undefined, headers)).body.deliveries).toEqual([])
    for (const [method, rest] of [
      ['GET', ''],
      ['POST', '/redeliver'],
    ] as const) {
      const answer = await server.call(method, `/v1/deliveries/${delivery_id}${rest}`, undefined, headers)
      expect(answer.body).toMatchObject({ status: 404, code: 'not_found' })
    }
  })

  scenarios(
    () => server,
    [
      { name: 'that does not exist', path: `/v1/deliveries/${NOBODY}`, status: 404, code: 'not_found' },
      { name: 'with an invalid id', path: '/v1/deliveries/x', status: 404, code: 'not_found' },
      {
        name: 'that does not exist, sent again',
        method: 'POST',
        path: `/v1/deliveries/${NOBODY}/redeliver`,
        status: 404,
      },
      { name: 'with an invalid status', path: '/v1/deliveries?status=lost', status: 422, fields: ['status.0'] },
      { name: 'with an invalid cursor', path: '/v1/deliveries?cursor=abc', status: 422, code: 'invalid_cursor' },
    ],
  )
})
