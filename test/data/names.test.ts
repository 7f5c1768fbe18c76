import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPipe } from '../../src/data/pipes/pipes.ts'
import { createDataSource } from '../../src/data/tables/data-sources.ts'
import type { NodeRole } from '../../src/model/pipe.ts'
import { type DataScene, materialized, openDataScene, WORKSPACE } from './scene.ts'

let scene: DataScene
beforeAll(async () => {
  scene = await openDataScene()
  await scene.dataSource('visits', { page: 'String' })
  expect(await scene.run({ query: "SELECT 'home' AS page", datasource: 'visits' })).toMatchObject({
    status: 'completed',
  })
  await scene.pipe('visit', [{ name: 'pages', sql: 'SELECT DISTINCT page FROM visits' }])
})
afterAll(() => scene?.stop())

const ask = async (query: string, parameters = {}) => {
  const answer = await scene.call('POST', '/v1/sql', { query, parameters })
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  return answer.body
}

test('no data source or pipe has the name of a node, and no node that of its target', async () => {
  const columns = [{ name: 'page', type: 'String', jsonPath: null }]
  const plain: NodeRole = { type: 'plain' }
  const node = (name: string, role: NodeRole = plain) => ({ name, sql: 'SELECT page FROM visits', role })
  await expect(createDataSource(scene.data, WORKSPACE, { name: 'pages', columns })).rejects.toMatchObject({
    code: 'data_source_exists',
    message: 'The pipe visit has a node pages.',
  })
  await expect(createPipe(scene.data, WORKSPACE, { name: 'pages', nodes: [node('other')] })).rejects.toMatchObject({
    code: 'data_source_exists',
    message: 'The pipe visit has a node pages.',
  })
  const nodes = [node('filled', materialized('filled'))]
  await expect(createPipe(scene.data, WORKSPACE, { name: 'fills', nodes })).rejects.toMatchObject({
    code: 'invalid',
    errors: [{ path: 'nodes.0.name', message: 'filled is a data source: call the node otherwise' }],
  })
})

test('a name that contains the name of a pipe does not change a query', async () => {
  expect(await ask('SELECT page FROM live.visits')).toEqual([{ page: 'home' }])
  expect(await ask("SELECT page, 'visit' AS of FROM {source:Identifier}", { source: 'visits' })).toEqual([
    { page: 'home', of: 'visit' },
  ])
})

test('a parameter may be the name of a pipe', async () => {
  expect(await ask('SELECT page FROM {source:Identifier}', { source: 'visit' })).toEqual([{ page: 'home' }])
})

test('system.jobs_log is recognized in every spelling', async () => {
  for (const column of ['system.jobs_log.kind', 'jobs_log.kind', '`system`.`jobs_log`.*'])
    expect(await ask(`SELECT 1 FROM (SELECT ${column} FROM system.jobs_log) LIMIT 1`)).toHaveLength(1)
  for (const from of [
    'system.jobs_log;',
    '`system`.`jobs_log`',
    '"system".jobs_log -- it\'s',
    "system.jobs_log # it's\n",
  ])
    expect(await ask(`SELECT DISTINCT kind, 'system.jobs_log' AS text FROM ${from}`)).toEqual([
      { kind: 'query', text: 'system.jobs_log' },
    ])
})
