import { describe, expect, test } from 'vitest'
import { form, ROWS, useTinybird } from './data-scene.ts'

const tinybird = useTinybird()

describe('data sources', () => {
  test('are listed with their content', async () => {
    const { body } = await tinybird.call('GET', '/v0/datasources')
    const facts = body.datasources.find((one: { name: string }) => one.name === 'facts')
    expect(facts).toMatchObject({
      id: expect.stringMatching(/^t_[0-9a-f]{32}$/),
      statistics: { row_count: ROWS, bytes: expect.any(Number) },
      engine: { engine: 'MergeTree', partition_key: 'toYYYYMM(day)', sorting_key: 'day' },
      used_by: [
        { id: expect.stringMatching(/^t_/), name: 'per_day' },
        { id: expect.stringMatching(/^t_/), name: 'snapshot' },
      ],
    })
  })

  test('are found by name and by id, with their columns', async () => {
    const byName = await tinybird.call('GET', '/v0/datasources/facts/')
    expect(byName.body.columns).toMatchObject([
      { name: 'day', type: 'Date', nullable: false },
      { name: 'n', type: 'UInt64', nullable: false },
    ])
    expect((await tinybird.call('GET', `/tinybird/v0/datasources/${byName.body.id}`)).body).toEqual(byName.body)
    const missing = await tinybird.call('GET', '/v0/datasources/nowhere')
    expect([missing.status, missing.body.error]).toEqual([404, 'There is no data source nowhere.'])
  })

  test('are created from a schema, and dropped', async () => {
    const path = `/v0/datasources?${form({ name: 'made', schema: 'id Int32, `user` Nullable(String) `json:$.user.name`' })}`
    const made = await tinybird.call('POST', path)
    expect(made.status, JSON.stringify(made.body)).toBe(200)
    expect(made.body.datasource).toMatchObject({
      name: 'made',
      columns: [
        { name: 'id', type: 'Int32' },
        { name: 'user', type: 'Nullable(String)', nullable: true, jsonpath: '$.user.name' },
      ],
    })
    expect((await tinybird.call('POST', path)).status).toBe(409)
    expect((await tinybird.call('POST', '/v0/datasources?name=other&schema=nonsense')).status).toBe(400)
    expect((await tinybird.call('DELETE', '/v0/datasources/made')).status).toBe(204)
    expect((await tinybird.call('GET', '/v0/datasources/made')).status).toBe(404)
    expect((await tinybird.call('DELETE', '/v0/datasources/facts')).status).toBe(409)
  })

  test('lose rows by a condition in a form, in JSON or in the query, and a dry run counts them', async () => {
    const path = '/v0/datasources/copies/delete'
    await tinybird.fill('copies')
    const dry = await tinybird.post(path, form({ delete_condition: 'n < 10', dry_run: 'true' }))
    expect(dry.body).toMatchObject({ status: 'done', rows_to_be_deleted: 10, statistics: null })
    expect(await tinybird.count('copies')).toBe(ROWS)
    const started = await tinybird.post(path, form({ delete_condition: 'n < 10' }))
    expect(started.body).toMatchObject({
      kind: 'delete_data',
      status: 'waiting',
      error: false,
      delete_id: started.body.id,
      job: { kind: 'delete_data', id: started.body.id, delete_condition: 'n < 10' },
    })
    expect(await tinybird.ended(started)).toMatchObject({
      status: 'done',
      rows_affected: 10,
      delete_condition: 'n < 10',
    })
    expect(await tinybird.ended(await tinybird.call('POST', path, { delete_condition: 'n < 20' }))).toMatchObject({
      rows_affected: 10,
    })
    expect(await tinybird.ended(await tinybird.call('POST', `${path}?delete_condition=n+%3C+30`))).toMatchObject({
      rows_affected: 10,
    })
    expect(await tinybird.count('copies')).toBe(ROWS - 30)
  })

  test.each([
    ['prodct = 1', /^Unknown expression( or function)? identifier `prodct`/],
    ['n <', /^Syntax error/],
    ['1 IN (SELECT 1)', /./],
  ])('a dry run of a delete with the wrong condition %s is refused like the delete', async (condition, message) => {
    const path = '/v0/datasources/copies/delete'
    const dry = await tinybird.post(path, form({ delete_condition: condition, dry_run: 'true' }))
    expect([dry.status, dry.body.code, dry.body.error]).toEqual([400, 'sql_error', expect.stringMatching(message)])
    expect(await tinybird.ended(await tinybird.post(path, form({ delete_condition: condition })))).toMatchObject({
      status: 'error',
      error: dry.body.error,
    })
  })

  test('are shown as updated by a job that has changed their rows', async () => {
    await tinybird.fill('copies')
    const path = '/v0/datasources/copies/delete'
    const { body: before } = await tinybird.call('GET', '/v0/datasources/copies')
    const dry = await tinybird.ended(await tinybird.post(path, form({ delete_condition: 'n < 10', dry_run: 'true' })))
    expect(dry.datasource.updated_at).toBe(before.updated_at)
    const done = await tinybird.ended(await tinybird.post(path, form({ delete_condition: 'n < 10' })))
    expect(done.datasource.updated_at).toBe(done.updated_at)
    expect(done.updated_at > before.updated_at).toBe(true)
  })

  test('are truncated', async () => {
    await tinybird.fill('copies')
    const answer = await tinybird.call('POST', '/v0/datasources/copies/truncate')
    expect([answer.status, answer.body.statistics.row_count]).toEqual([200, 0])
    expect(await tinybird.count('copies')).toBe(0)
  })
})
