import { expect, onTestFinished, test } from 'vitest'
import { serve } from '../fetch/local-server.ts'
import { startTestServer } from '../server.ts'

test.each([
  ['a query', { query: 'SELECT 1' }],
  ['a query whose rows go into a data source', { query: 'SELECT 1 AS a', datasource: 'rows' }],
])(
  '%s is stopped while its engine does not answer',
  async (_, body) => {
    const silent = await serve(() => {})
    const server = await startTestServer({ settings: { 'clickhouse-url': `http://127.0.0.1:${silent.port}` } })
    onTestFinished(() => {
      silent.server.closeAllConnections()
      return server.stop()
    })
    const { status, body: job } = await server.call('POST', '/v1/jobs', body)
    expect(status).toBe(201)
    const statusOf = async () => (await server.call('GET', `/v1/jobs/${job.job_id}`)).body.status
    await expect.poll(statusOf, { timeout: 5_000 }).toBe('running')
    await server.call('POST', `/v1/jobs/${job.job_id}/cancel`)
    const began = performance.now()
    const ended = await server.call('GET', `/v1/jobs/${job.job_id}?wait=20`)
    expect(ended.body).toMatchObject({ status: 'cancelled', status_reason: 'cancelled_by_user' })
    expect(performance.now() - began).toBeLessThan(5_000)
  },
  30_000,
)
