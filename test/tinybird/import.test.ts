import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openScriptedScene, type ScriptedScene } from './scripted.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers of any shape; what a test reads of them, it asserts
type Json = any

let scene: ScriptedScene
beforeAll(async () => {
  scene = await openScriptedScene()
  await scene.dataSource('events', { id: 'Int32' })
})
afterAll(() => scene?.stop())

const URL_OF_ROWS = 'https://example.com/data/my-rows.csv.gz?key=1'
const query = (fields: Record<string, string>) => `/v0/datasources?${new URLSearchParams(fields)}`

/** What the started job was submitted as. */
const submittedAs = async ({ status, body }: { status: number; body: { job_id: string } }) => {
  expect(status, JSON.stringify(body)).toBe(200)
  return (await scene.call('GET', `/v1/jobs/${body.job_id}`)).body.spec.import
}

/** A POST with a body that is not JSON. */
const post = async (path: string, body: string | FormData | Uint8Array<ArrayBuffer>, type?: string) => {
  const headers = { authorization: `Bearer ${scene.token}`, ...(type !== undefined && { 'content-type': type }) }
  const response = await fetch(scene.url + path, { method: 'POST', body, headers })
  return { status: response.status, body: (await response.json()) as Json }
}

describe('an import from a URL', () => {
  test('answers with a waiting job, at the top level and under job', async () => {
    const { status, body } = await scene.call('POST', query({ url: URL_OF_ROWS, mode: 'append', name: 'events' }))
    expect(status).toBe(200)
    expect(body).toMatchObject({
      kind: 'import',
      status: 'waiting',
      error: false,
      job_id: body.id,
      import_id: body.id,
      job_url: `${scene.url}/v0/jobs/${body.id}`,
      datasource: { id: expect.stringMatching(/^t_/), name: 'events' },
      mode: 'append',
      url: URL_OF_ROWS,
      job: { id: body.id, status: 'waiting', import_id: body.id, is_cancellable: true },
    })
  })

  test('creates a data source named like its file by default', async () => {
    const made = await scene.call('POST', query({ url: URL_OF_ROWS }))
    expect(made.body).toMatchObject({ mode: 'create', datasource: { id: null, name: 'my_rows' } })
    expect(await submittedAs(made)).toEqual({ url: URL_OF_ROWS, datasource: 'my_rows', mode: 'append', create: true })
    const named = await scene.call('POST', query({ url: 'https://example.com/2026.parquet' }))
    expect(named.body.datasource).toEqual({ id: null, name: '_2026' })
    expect((await scene.call('POST', query({ url: 'https://example.com/events.csv' }))).status).toBe(409)
  })

  test('accepts every parameter from the query, a form or JSON', async () => {
    const fields = {
      url: URL_OF_ROWS,
      name: 'events',
      mode: 'replace',
      format: 'csv',
      type_guessing: 'false',
      dialect_delimiter: ';',
      replace_condition: 'id < 10',
    }
    const expected = {
      url: URL_OF_ROWS,
      datasource: 'events',
      mode: 'replace',
      format: 'csv',
      type_guessing: false,
      delimiter: ';',
      replace_condition: 'id < 10',
    }
    expect(await submittedAs(await scene.call('POST', query(fields)))).toEqual(expected)
    const form = String(new URLSearchParams(fields))
    expect(await submittedAs(await post('/v0/datasources/', form, 'application/x-www-form-urlencoded'))).toEqual(
      expected,
    )
    expect(await submittedAs(await scene.call('POST', '/tinybird/v0/datasources', fields))).toEqual(expected)
  })

  test('creates the data source that a schema describes, unless the job would be refused', async () => {
    const schema = 'a Int32, b String'
    const refused = await scene.call('POST', query({ url: 'nonsense', name: 'described', schema }))
    expect(refused.status).toBe(400)
    expect((await scene.call('GET', '/v0/datasources/described')).status).toBe(404)
    const made = await scene.call('POST', query({ url: URL_OF_ROWS, name: 'described', schema }))
    expect(made.body.datasource).toMatchObject({ id: expect.stringMatching(/^t_/), name: 'described' })
    expect((await scene.call('GET', '/v0/datasources/described')).body.columns).toHaveLength(2)
  })
})

describe('uploaded rows', () => {
  const CSV = 'id\n1\n2\n'
  const parts = (name: string) => {
    const form = new FormData()
    form.append(name, new Blob([CSV]), 'rows.csv')
    return form
  }

  test.each(['csv', 'ndjson', 'parquet'])('in a part %s are imported in that format', async format => {
    const started = await post(query({ name: 'events', mode: 'append' }), parts(format))
    expect(started.body).toMatchObject({ kind: 'import', status: 'waiting', url: null, error: false })
    expect(await submittedAs(started)).toMatchObject({
      datasource: 'events',
      format,
      mode: 'append',
      url: expect.stringMatching(/^upload:/),
    })
  })

  test('in a body are imported in the given format', async () => {
    const started = await post(query({ name: 'sent', format: 'ndjson' }), '{"id":1}\n', 'application/x-ndjson')
    expect(await submittedAs(started)).toMatchObject({ datasource: 'sent', format: 'ndjson', create: true })
    expect(await submittedAs(await post(query({ name: 'sent' }), CSV, 'text/csv'))).toMatchObject({ format: 'csv' })
  })

  test.each([
    ['without a name', () => post('/v0/datasources', parts('csv'))],
    ['beside a URL', () => post(query({ name: 'x', url: URL_OF_ROWS }), parts('csv'))],
    ['under another name', () => post(query({ name: 'x' }), parts('file'))],
    ['as no part at all', () => post(query({ name: 'x' }), new FormData())],
  ])('%s are refused', async (_name, send) => {
    const { status, body } = await send()
    expect([status, typeof body.error]).toEqual([400, 'string'])
  })

  test('with their parameters in the form are refused with where to put them', async () => {
    const form = parts('csv')
    form.set('name', 'events')
    expect((await post('/v0/datasources', form)).body.error).toBe('name: is required, as a query parameter')
  })

  test('for a missing data source are refused', async () => {
    const { status, body } = await post(query({ name: 'nowhere', mode: 'append' }), parts('csv'))
    expect([status, body.error]).toEqual([
      404,
      'There is no data source nowhere. Import with mode=create first, and wait until that job is done.',
    ])
  })

  test('with an Idempotency-Key are refused, since they cannot be compared', async () => {
    const response = await fetch(scene.url + query({ name: 'events', mode: 'append' }), {
      method: 'POST',
      headers: { authorization: `Bearer ${scene.token}`, 'idempotency-key': 'k' },
      body: parts('csv'),
    })
    expect(response.status).toBe(400)
  })
})
