import { describe, expect, test } from 'vitest'
import { form, ROWS, useTinybird } from './data-scene.ts'

const tinybird = useTinybird()

describe('SQL', () => {
  test('is answered at once, with or without a format', async () => {
    const expected = { data: [{ rows: String(ROWS) }], rows: 1 }
    const sql = 'SELECT count() AS rows FROM facts'
    expect((await tinybird.call('GET', `/v0/sql?${form({ q: `${sql} FORMAT JSON` })}`)).body).toEqual(expected)
    expect((await tinybird.call('POST', '/v0/sql', { q: sql })).body).toEqual(expected)
    expect((await tinybird.post('/v0/sql/', form({ q: `${sql}\nformat json;\n` }))).body).toEqual(expected)
    expect((await tinybird.call('GET', `/v0/sql?${form({ q: "SELECT 'a FORMAT JSON' AS x" })}`)).body.data).toEqual([
      { x: 'a FORMAT JSON' },
    ])
    expect((await tinybird.call('GET', '/v0/sql?q=SELECT+day+FROM+per_day+LIMIT+2')).body.rows).toBe(2)
    const log = await tinybird.call('GET', `/v0/sql?${form({ q: 'SELECT job_id FROM tinybird.jobs_log LIMIT 1' })}`)
    expect([log.status, log.body.rows], JSON.stringify(log.body)).toEqual([200, 1])
  })
})
