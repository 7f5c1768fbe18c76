import { expect, vi } from 'vitest'
import type { TestServer } from '../server.ts'

/** One of everything that a workspace can own. */
export type World = {
  /** In each name. */
  readonly mark: string
  /** A marker in rows, logs, results, artifacts and the values of labels. */
  readonly said: string
  readonly token: string
  readonly call: TestServer['call']
  /** Sent unchanged: content, or a form. */
  readonly send: (method: string, path: string, body?: Content) => Promise<Response>
  /** Values for the parameters of a path, by name. */
  readonly names: Readonly<Record<string, readonly string[]>>
  /** Where the content of its import is. */
  readonly upload: string
  /** Everything, as it can be read. */
  readonly read: () => Promise<Readonly<Record<string, unknown>>>
}

type Content = { readonly text: string; readonly type: string } | FormData

/** When nothing has begun yet. */
export const later = (): string => new Date(Date.now() + 30 * 86_400_000).toISOString()

/** Makes a workspace with one of everything. */
export const makeWorld = async (server: TestServer, mark: string): Promise<World> => {
  await server.call('POST', '/v1/workspaces', { name: mark })
  const made = await server.call('POST', '/v1/tokens', { name: mark, role: 'admin', workspace: mark })
  const { token, token_id } = made.body
  const said = mark.toUpperCase()
  const authorization = `Bearer ${token}`
  const call: World['call'] = (method, path, body, headers) =>
    server.call(method, path, body, { authorization, ...headers })
  const send: World['send'] = (method, path, content) =>
    fetch(server.url + path, {
      method,
      headers: { authorization, ...(content && 'type' in content && { 'content-type': content.type }) },
      ...(content && { body: 'type' in content ? content.text : content }),
    })
  const make = async (path: string, body?: unknown) => {
    const answer = await call('POST', path, body)
    expect(answer.status, `${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300)
    return answer.body
  }
  const ended = async (jobId: string) => {
    const job = (await call('GET', `/v1/jobs/${jobId}?wait=60`)).body
    expect(job.status, JSON.stringify(job)).toBe('completed')
    return job.job_id as string
  }
  const run = async (body: object) => ended((await make('/v1/jobs', body)).job_id)

  const rows = (await make('/v1/datasources', { name: `${mark}_rows`, schema: 'n UInt8, note String' })).datasource_id
  const sums = (await make('/v1/datasources', { name: `${mark}_sums`, schema: 'n UInt64' })).datasource_id
  const content = { text: `n,note\n1,${said}\n2,${said}\nx,${said}\n`, type: 'text/csv' }
  const importOf = async (query: string): Promise<{ job_id: string }> => {
    const answer = await send('POST', `/v1/datasources/${mark}_rows/import${query}`, content)
    return (await answer.json()) as { job_id: string }
  }
  const imported = await importOf('')
  await ended(imported.job_id)
  // A failed import may be retried: its content is kept for a day.
  const refused = await importOf('?max_bad_rows=0')
  const failed = (await call('GET', `/v1/jobs/${refused.job_id}?wait=60`)).body
  expect(failed.status).toBe('failed')
  const nodes = [
    { name: `${mark}_plain`, sql: `SELECT n, note FROM ${mark}_rows` },
    { name: `${mark}_copied`, sql: `SELECT n FROM ${mark}_plain`, copy_into: `${mark}_sums` },
  ]
  const pipe = (await make('/v1/pipes', { name: `${mark}_pipe`, nodes })).pipe_id
  const copied = await run({ copy: { pipe: `${mark}_pipe` } })

  const asked = await run({ query: `SELECT note FROM ${mark}_rows` })
  const spoken = await run({
    command: `echo ${said}; echo ${said} >${mark}.txt`,
    artifacts: [`${mark}.txt`],
    name: mark,
    labels: { owner: said },
    queue: mark,
    environment: { A_TOKEN: `${said}-secret` },
    sinks: [{ type: 'webhook', url: `https://example.com/${mark}` }],
  })
  const waiting = (await make('/v1/jobs', { command: `echo ${said}`, scheduled_at: later() })).job_id
  const workflow = (await make('/v1/workflows', { name: mark, payload: [{ command: `echo ${said}` }] })).workflow_id
  const runId = (await make(`/v1/workflows/${mark}/trigger`)).run_id
  const [item] = (await call('GET', `/v1/runs/${runId}/jobs`)).body.jobs
  await ended(item.job_id)
  const expectEnded = async () => expect((await call('GET', `/v1/runs/${runId}`)).body.status).toBe('completed')
  await vi.waitFor(expectEnded, { timeout: 20_000 })
  const [artifact] = (await call('GET', `/v1/jobs/${spoken}/artifacts`)).body.artifacts
  const [delivery] = (await call('GET', '/v1/deliveries')).body.deliveries

  const lists = ['jobs', 'runs', 'workflows', 'deliveries', 'notifications', 'datasources', 'pipes', 'tokens']
  const things = [
    `runs/${runId}`,
    `workflows/${workflow}`,
    `jobs/${spoken}/artifacts`,
    `jobs/${spoken}/logs`,
    `jobs/${asked}/result`,
    `datasources/${mark}_rows/quarantine`,
    `pipes/${pipe}`,
    'notifications/preference',
  ]
  return {
    mark,
    said,
    token,
    call,
    send,
    names: {
      job_id: [spoken, asked, waiting, copied, imported.job_id, item.job_id],
      artifact_id: [artifact.artifact_id],
      workflow: [workflow, mark],
      run_id: [runId],
      delivery_id: [delivery.delivery_id],
      datasource: [rows, sums, `${mark}_rows`],
      pipe: [pipe, `${mark}_pipe`],
      node: [`${mark}_copied`],
      token_id: [token_id],
    },
    upload: failed.spec.import.url,
    read: async () => {
      const paths = [...lists, ...things].map(path => `/v1/${path}`)
      const count = await call('POST', '/v1/sql', { query: `SELECT n, note FROM ${mark}_rows ORDER BY n` })
      const bodies = await Promise.all(paths.map(async path => [path, (await call('GET', path)).body] as const))
      return { ...Object.fromEntries(bodies), rows: count.body }
    },
  }
}
