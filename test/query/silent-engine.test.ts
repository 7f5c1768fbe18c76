import type { ServerResponse } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { serve } from '../fetch/local-server.ts'
import { startTestServer } from '../server.ts'

test('queries and deletes can be cancelled while their engine does not answer', async () => {
  const waiting = new Set<ServerResponse>()
  const silent = await serve((_, response) => {
    waiting.add(response)
    response.once('close', () => waiting.delete(response))
  })
  // This waits for the engine, to tell what is wrong with it.
  const server = await startTestServer({ settings: { 'clickhouse-url': `http://127.0.0.1:${silent.port}` } })
  onTestFinished(() => {
    silent.server.closeAllConnections()
    return server.stop()
  })
  const bodies = [
    { query: 'SELECT 1' },
    { query: 'SELECT 1 AS a', datasource: 'rows' },
    { delete: { datasource: 'rows', condition: 'a = 1' } },
  ]
  for (const body of bodies) {
    const { status, body: job } = await server.call('POST', '/v1/jobs', body)
    expect(status).toBe(201)
    const statusOf = async () => (await server.call('GET', `/v1/jobs/${job.job_id}`)).body.status
    await expect.poll(statusOf).toBe('running')
    await expect.poll(() => waiting.size).toBeGreaterThan(0)
    const asked = new Set(waiting)
    await server.call('POST', `/v1/jobs/${job.job_id}/cancel`)
    const ended = await server.call('GET', `/v1/jobs/${job.job_id}?wait=10`)
    expect(ended.body).toMatchObject({ status: 'cancelled', status_reason: 'cancelled_by_user' })
    // It has not waited until the request was given up.
    expect(asked.intersection(waiting).size).toBeGreaterThan(0)
  }
}, 60_000)
