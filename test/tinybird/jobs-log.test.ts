import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DataScene, materialized, openDataScene } from '../data/scene.ts'

let scene: DataScene
beforeAll(async () => {
  scene = await openDataScene()
})
afterAll(() => scene?.stop())

const ask = async (query: string) => {
  const answer = await scene.call('POST', '/v1/sql', { query })
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  return answer.body
}

/** A data source, and a pipe that sums it up. */
const openSums = async (source: string, pipe: string, target: string) => {
  await scene.dataSource(source, { a: 'Int64' })
  const sql = `SELECT sum(a) AS a FROM ${source}`
  await scene.pipe(pipe, [{ name: `of_${source}`, sql, role: materialized(target) }])
}

test('tinybird.jobs_log has the ids of /v0 for joins, and names in the metadata', async () => {
  await openSums('strikes', 'sums', 'summed')
  const { body: pipe } = await scene.call('GET', '/v0/pipes/sums')
  const jobs = [
    await scene.run({ query: 'SELECT 1 AS a', datasource: 'strikes' }),
    await scene.run({ populate: { pipe: pipe.id } }),
    await scene.run({ delete: { datasource: 'strikes', condition: "a = 'x\\'y'", dry_run: true } }),
  ]
  const ids = jobs.map(job => `'${job.job_id}'`).join(', ')
  const { body: of } = await scene.call('GET', '/v0/datasources')
  const id = (name: string) => of.datasources.find((one: { name: string }) => one.name === name).id
  const rows = await ask(
    `SELECT * EXCEPT (created_at, started_at, updated_at) FROM tinybird.jobs_log WHERE job_id IN (${ids}) ORDER BY created_at`,
  )
  expect(
    rows.map(({ job_metadata, ...row }: { job_metadata: string }) => ({ ...row, ...JSON.parse(job_metadata) })),
  ).toMatchObject([
    {
      job_type: 'query',
      workspace_id: 'default',
      pipe_id: null,
      datasource_id: id('strikes'),
      datasource_name: 'strikes',
    },
    {
      job_type: 'populate',
      workspace_id: 'default',
      pipe_id: pipe.id,
      datasource_id: id('summed'),
      pipe_name: 'sums',
      datasource_name: 'summed',
      populate: { pipe: pipe.id },
    },
    { job_type: 'delete', datasource_id: id('strikes'), delete: { condition: "a = 'x\\'y'" } },
  ])
  const { body: listed } = await scene.call('GET', '/v0/jobs?pipe_name=sums')
  expect(listed.jobs[0]).toMatchObject({ pipe_id: pipe.id, datasource: { id: id('summed') } })
})

test('deleted things keep their names without ids', async () => {
  await openSums('rows_left', 'leaving', 'gone')
  const { job_id: id } = await scene.run({ populate: { pipe: 'leaving' } })
  await scene.call('DELETE', '/v1/pipes/leaving')
  await scene.call('DELETE', '/v1/datasources/gone')
  const [row] = await ask(`SELECT pipe_id, datasource_id, job_metadata FROM tinybird.jobs_log WHERE job_id = '${id}'`)
  expect([row.pipe_id, row.datasource_id]).toEqual([null, null])
  expect(JSON.parse(row.job_metadata)).toMatchObject({ pipe_name: 'leaving', datasource_name: 'gone' })
})

test('tinybird.jobs_log can be read without any data source, and with quotes in names', async () => {
  const { body: token } = await scene.call('POST', '/v1/workspaces', { name: 'bare' })
  const { body: made } = await scene.call('POST', '/v1/tokens', {
    name: 't',
    workspace: token.workspace_id ?? token.id ?? 'bare',
    role: 'admin',
  })
  const answer = await fetch(`${scene.url}/v1/sql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${made.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: 'SELECT count() AS n FROM tinybird.jobs_log' }),
  })
  expect(await answer.json()).toEqual([{ n: '0' }])
})
