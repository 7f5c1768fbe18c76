import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type DataScene, openDataScene, WORKSPACE } from '../data/scene.ts'

/** An answer of the API: a job of any shape; what a test reads of it, it asserts. */
// biome-ignore lint/suspicious/noExplicitAny: see above
type Json = any

export type ImportScene = DataScene & {
  /** A server whose every path returns what it was given, and its address. */
  readonly site: string
  /** What a path returns from now on; returns its URL. */
  readonly give: (path: string, answer: string | Uint8Array | RequestListener) => string
  /** An import, run to its end. */
  readonly import: (fields: Record<string, unknown>) => Promise<Json>
  /** A submitted import; returns its id. */
  readonly submit: (fields: Record<string, unknown>) => Promise<string>
  /** All rows of a table, as strings. */
  readonly table: (name: string, order?: string) => Promise<readonly (readonly (string | null)[])[]>
  /** A job, waiting so many seconds for its end. */
  readonly job: (id: string, wait?: number) => Promise<Json>
  readonly log: (jobId: string) => Promise<string>
}

export { WORKSPACE }

/** A real server that may connect to this machine, and a site that it imports from. */
export const openImportScene = async (
  settings: Record<string, string> = {},
  dataDir?: string,
): Promise<ImportScene> => {
  const scene = await openDataScene({
    settings: { 'allow-private-addresses': '127.0.0.1', ...settings },
    ...(dataDir !== undefined && { dataDir }),
  })
  const answers = new Map<string, string | Uint8Array | RequestListener>()
  const server = await listen((request, response) => {
    const answer = answers.get(new URL(request.url!, 'http://site').pathname)
    if (answer === undefined) return void response.writeHead(404).end('There is no such page.')
    if (typeof answer === 'function') return void answer(request, response)
    response.end(answer)
  })
  const site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const submit = async (fields: Record<string, unknown>): Promise<string> => {
    const { status, body } = await scene.call('POST', '/v1/jobs', { import: fields })
    if (status !== 201) throw new Error(`not submitted: ${JSON.stringify(body)}`)
    return body.job_id
  }
  return {
    ...scene,
    site,
    submit,
    give: (path, answer) => {
      answers.set(path, answer)
      return site + path
    },
    import: fields => scene.run({ import: fields }),
    table: async (name, order = 'ALL') => {
      const rows = await scene.rows<Record<string, unknown>>(`SELECT * FROM \`${name}\` ORDER BY ${order}`)
      return rows.map(row => Object.values(row).map(value => (value === null ? null : textOf(value))))
    },
    job: async (id, wait = 0) => (await scene.call('GET', `/v1/jobs/${id}?wait=${wait}`)).body,
    log: async jobId => {
      const answer = await scene.call('GET', `/v1/jobs/${jobId}/logs`, undefined, { accept: 'text/plain' })
      return String(answer.body)
    },
    stop: async () => {
      await scene.stop()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

const textOf = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value))

const listen = async (listener: RequestListener): Promise<Server> => {
  const server = createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return server
}
