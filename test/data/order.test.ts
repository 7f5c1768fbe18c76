import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DataScene, materialized, openDataScene } from './scene.ts'

// Where rows of one key replace each other, the last one wins, so copies must keep their order.

let scene: DataScene
beforeAll(async () => {
  scene = await openDataScene()
})
afterAll(() => scene?.stop())

const LATEST = { engine: 'ReplacingMergeTree', sortingKey: 'id' }
const COLUMNS = { id: 'UInt64', value: 'UInt64' }

const importCsv = async (name: string, content: string, parameters: Readonly<Record<string, string>> = {}) => {
  const query = new URLSearchParams({ format: 'csv', ...parameters })
  const headers = { authorization: `Bearer ${scene.token}`, 'content-type': 'text/csv' }
  const url = `${scene.url}/v1/datasources/${name}/import?${query}`
  const answer = await fetch(url, { method: 'POST', headers, body: content })
  const { job_id } = (await answer.json()) as { job_id: string }
  const { body } = await scene.call('GET', `/v1/jobs/${job_id}?wait=60`)
  expect(body).toMatchObject({ status: 'completed', error: null })
}

/** Which values are the last ones, and how often. */
const lastValues = (name: string) =>
  scene.value(`SELECT groupArray((value, n)) FROM (SELECT value, count() AS n FROM ${name} FINAL GROUP BY value)`)

test('after a delete the last row of each key is still the last', async () => {
  await scene.dataSource('deleted', { ...COLUMNS, pad: 'String' }, LATEST)
  for (let value = 1; value <= 5; value++) {
    const query = `SELECT number AS id, ${value} AS value, repeat('x', ${value === 5 ? 1 : 60}) AS pad FROM numbers(2000000)`
    await scene.run({ query, datasource: 'deleted' })
  }
  expect(await lastValues('deleted')).toBe('5,2000000')
  for (let deleted = 1; deleted <= 2; deleted++) {
    await scene.run({ delete: { datasource: 'deleted', condition: `id = ${deleted}` } })
    expect(await lastValues('deleted')).toBe(`5,${2_000_000 - deleted}`)
  }
}, 120_000)

test('after a conditional replace the new rows are the last of their keys', async () => {
  await scene.dataSource('replaced', COLUMNS, LATEST)
  await scene.run({ query: 'SELECT number AS id, 1 AS value FROM numbers(10)', datasource: 'replaced' })
  await importCsv('replaced', 'id,value\n1,2\n2,2\n', { mode: 'replace', replace_condition: 'value = 2' })
  expect(await scene.value('SELECT groupArray(value) FROM (SELECT * FROM replaced FINAL ORDER BY id)')).toBe(
    '1,2,2,1,1,1,1,1,1,1',
  )
})

test('rows of an import replace each other in order, even in the target of a node', async () => {
  await scene.dataSource('lines', COLUMNS)
  await scene.dataSource('latest', COLUMNS, LATEST)
  const sql = 'SELECT id, value FROM lines'
  await scene.pipe('of_lines', [{ name: 'kept', sql, role: materialized('latest') }])
  // Through a data source that keeps all rows.
  await scene.dataSource('passed_on', COLUMNS)
  await scene.dataSource('latest_behind', COLUMNS, LATEST)
  await scene.pipe('to_passed_on', [{ name: 'passed', sql, role: materialized('passed_on') }])
  const behind = 'SELECT id, value FROM passed_on'
  await scene.pipe('of_passed_on', [{ name: 'kept', sql: behind, role: materialized('latest_behind') }])
  const rounds = 30
  const round = (value: number) => Array.from({ length: 100_000 }, (_, id) => `${id},${value}\n`).join('')
  const content = Array.from({ length: rounds }, (_, value) => round(value)).join('')
  await importCsv('lines', `id,value\n${content}`)
  const last = `${rounds - 1},100000`
  expect([await lastValues('latest'), await lastValues('latest_behind')]).toEqual([last, last])

  await scene.run({ populate: { pipe: 'of_lines', truncate: true } })
  await scene.run({ populate: { pipe: 'to_passed_on', truncate: true } })
  expect([await lastValues('latest'), await lastValues('latest_behind')]).toEqual([last, last])
}, 120_000)
