import { expect, onTestFinished, test } from 'vitest'
import { serve } from '../fetch/local-server.ts'
import { startTestServer } from '../server.ts'

test('queries can be cancelled while their engine does not answer, even those into a data source', async () => {
  const silent = await serve(() => {})
  // This waits for the engine, to tell what is wrong with it.
  const server = await startTestServer({ settings: { 'clickhouse-url': `http://127.0.0.1:${silent.port}` } })
  onTestFinished(() => {
    silent.server.closeAllConnections()
    return server.stop()
  })
  for (const body of [{ query: 'SELECT 1' }, { query: 'SELECT 1 AS a', datasource: 'rows' }]) {
    const { status, body: job } = await server.call('POST', '/v1/jobs', body)
    expect(status).toBe(201)
    const statusOf = async () => (await server.call('GET', `/v1/jobs/${job.job_id}`)).body.status
    await expect.poll(statusOf).toBe('running')
    await server.call('POST', `/v1/jobs/${job.job_id}/cancel`)
    const ended = await server.call('GET', `/v1/jobs/${job.job_id}?wait=10`)
    expect(ended.body).toMatchObject({ status: 'cancelled', status_reason: 'cancelled_by_user' })
  }
}, 60_000)
