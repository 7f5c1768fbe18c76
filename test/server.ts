import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningServer, type ServerOptions, startServer } from '../src/cli/server.ts'
import { loadConfig } from '../src/kernel/config.ts'
import { silentLogger } from '../src/kernel/logger.ts'

/** Answers are JSON of any shape; what a test reads of them, it asserts. */
// biome-ignore lint/suspicious/noExplicitAny: see above
type Json = any

export type TestServer = RunningServer & {
  readonly dataDir: string
  readonly token: string
  /** A JSON request with the admin token (or another). */
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: Json; headers: Headers }>
  /** Submits a job and returns it once it has ended. */
  run(body: Record<string, unknown>): Promise<Json>
}

/**
 * A real server on a free port with its data in a new directory (or `dataDir`), which `stop` removes when it made it.
 * `settings` are flags by name (`max-workers`).
 */
export const startTestServer = async (
  options: { settings?: Record<string, string>; dataDir?: string } & ServerOptions = {},
): Promise<TestServer> => {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'millrace-test-'))
  const flags = { port: '0', 'data-dir': dataDir, 'log-level': 'silent', ...options.settings }
  const { config } = loadConfig({ flags, environment: {}, directory: dataDir })
  const server = await startServer(config, silentLogger, options)
  const token = config.adminToken ?? readFileSync(server.adminToken.path, 'utf8').trim()
  const call = createCall(server.url, token)
  return {
    ...server,
    dataDir,
    token,
    call,
    run: async body => {
      const submitted = await call('POST', '/v1/jobs', body)
      if (submitted.status !== 201) throw new Error(`not submitted: ${JSON.stringify(submitted.body)}`)
      for (;;) {
        const { body: job } = await call('GET', `/v1/jobs/${submitted.body.job_id}?wait=60`)
        if (job.finished_at) return job
      }
    },
    stop: async () => {
      await server.stop()
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

const createCall =
  (url: string, token: string): TestServer['call'] =>
  async (method, path, body, headers = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: isJson(response) ? JSON.parse(text) : text, headers: response.headers }
  }

const isJson = (response: Response): boolean =>
  /json/.test(response.headers.get('content-type') ?? '') && !/ndjson/.test(response.headers.get('content-type') ?? '')
