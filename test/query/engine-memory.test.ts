import { expect, test } from 'vitest'
import { startTestServer } from '../server.ts'

test('a query that needs more memory than its engine may use fails, and the engine keeps running', async () => {
  const server = await startTestServer({ settings: { 'engine-memory': '700MiB' } })
  try {
    expect((await server.run({ query: 'SELECT 1' })).status).toBe('completed')
    const greedy = { query: 'SELECT length(groupArray(number)) AS n FROM numbers(200000000)', format: 'json' }
    const job = await server.run(greedy)
    expect(job.error).toMatchObject({ code: 'query_memory' })
    const answer = await server.call('POST', '/v1/sql', { query: 'SELECT 42 AS answer' })
    expect(answer.body).toEqual([{ answer: 42 }])
  } finally {
    await server.stop()
  }
})
