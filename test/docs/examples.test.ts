import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { startTestServer, type TestServer } from '../server.ts'
import { examplesOf, runExamples, runScript } from './examples.ts'

const DOCS = join(import.meta.dirname, '../../docs/api')

let server: TestServer
let directory: string
beforeAll(async () => {
  const functionsDir = join(import.meta.dirname, '../../examples/functions')
  server = await startTestServer({ settings: { 'shutdown-grace': '100ms', 'functions-dir': functionsDir } })
  directory = mkdtempSync(join(tmpdir(), 'millrace-docs-'))
})
afterAll(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

const place = (environment: Record<string, string> = {}) => ({
  cwd: mkdtempSync(join(directory, 'run-')),
  environment: { PATH: process.env.PATH, MILLRACE_URL: server.url, MILLRACE_TOKEN: server.token, ...environment },
})

/** The shape of an answer: its names, down to the first entry of each list. */
const shapeOf = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf)
  if (typeof value !== 'object' || value === null) return 'a value'
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shapeOf(inner)]))
}

const lastLine = (text = ''): string => text.trimEnd().split('\n').at(-1) ?? ''

describe('the guide to the API', () => {
  const pages = readdirSync(DOCS).filter(name => name.endsWith('.md') && name !== 'README.md')

  test('has all of its pages', () => {
    const names = [
      'artifacts',
      'datasources',
      'errors',
      'functions',
      'http',
      'import',
      'jobs',
      'logs',
      'pipes',
      'query',
      'runs',
      'sinks',
      'tinybird',
      'tokens',
      'workflows',
    ]
    expect(pages.toSorted()).toEqual(names.map(name => `${name}.md`))
  })

  test.each(pages)('%s: every example runs and answers as shown', async name => {
    const examples = examplesOf(readFileSync(join(DOCS, name), 'utf8'))
    expect(examples.length).toBeGreaterThan(0)
    const outputs = await runExamples(examples, place())
    for (const [index, { shown }] of examples.entries()) {
      if (shown?.language !== 'json') continue
      expect(shapeOf(JSON.parse(lastLine(outputs[index])))).toEqual(shapeOf(JSON.parse(shown.text)))
    }
  })
})

/** The document's own calls, except for the host and the pipe into jq, with the id of a job for `{job_id}`. */
const ZATABASE = {
  submit: `curl -s -X POST https://your-project.zatabase.io/v1/jobs -H "Authorization: Bearer $ZATABASE_TOKEN" -H "Content-Type: application/json" -d '{ "name": "nightly-export", "command": "python3 export.py --format parquet", "working_dir": "/opt/scripts", "environment": { "OUTPUT_DIR": "/tmp/exports", "ZATABASE_TOKEN": "'"$ZATABASE_TOKEN"'" }, "timeout_seconds": 3600 }'`,
  list: `curl -s https://your-project.zatabase.io/v1/jobs -H "Authorization: Bearer $ZATABASE_TOKEN"`,
  get: `curl -s https://your-project.zatabase.io/v1/jobs/{job_id} -H "Authorization: Bearer $ZATABASE_TOKEN"`,
  cancel: `curl -s -X POST https://your-project.zatabase.io/v1/jobs/{job_id}/cancel -H "Authorization: Bearer $ZATABASE_TOKEN" -H "Content-Type: application/json" -d '{"timeout_seconds": 10}'`,
  upload: `curl -s -X POST https://your-project.zatabase.io/v1/jobs/{job_id}/artifacts -H "Authorization: Bearer $ZATABASE_TOKEN" -F "file=@output.parquet"`,
  artifacts: `curl -s https://your-project.zatabase.io/v1/jobs/{job_id}/artifacts -H "Authorization: Bearer $ZATABASE_TOKEN"`,
  download: `curl -O https://your-project.zatabase.io/v1/jobs/{job_id}/artifacts/{artifact_id} -H "Authorization: Bearer $ZATABASE_TOKEN"`,
}

describe("the calls of Zatabase's document, as printed", () => {
  const call = async (command: string, ids: Record<string, string> = {}) => {
    let script = command.replace('https://your-project.zatabase.io', server.url)
    for (const [name, id] of Object.entries(ids)) script = script.replace(`{${name}}`, id)
    return runScript(script, place({ ZATABASE_TOKEN: server.token }))
  }

  test('submit, read and list a job', async () => {
    const submitted = JSON.parse(await call(ZATABASE.submit))
    expect(submitted).toEqual({ job_id: expect.any(String), status: 'queued', created_at: expect.any(String) })
    const { body: ended } = await server.call('GET', `/v1/jobs/${submitted.job_id}?wait=60`)
    expect(['completed', 'failed']).toContain(ended.status)
    const job = JSON.parse(await call(ZATABASE.get, { job_id: submitted.job_id }))
    expect(job).toMatchObject({ job_id: submitted.job_id, name: 'nightly-export', status: ended.status })
    expect(job.spec.environment).toEqual({ OUTPUT_DIR: '/tmp/exports', ZATABASE_TOKEN: '***' })
    const { jobs } = JSON.parse(await call(ZATABASE.list))
    expect(jobs.map((one: { job_id: string }) => one.job_id)).toContain(submitted.job_id)
  })

  test('cancel a running job', async () => {
    const { body } = await server.call('POST', '/v1/jobs', { command: 'sleep 600' })
    const cancelled = JSON.parse(await call(ZATABASE.cancel, { job_id: body.job_id }))
    expect(['cancelling', 'cancelled']).toContain(cancelled.status)
    const { body: ended } = await server.call('GET', `/v1/jobs/${body.job_id}?wait=60`)
    expect(ended.status).toBe('cancelled')
  })

  test('upload, list and download an artifact', async () => {
    const { job_id } = await server.run({ command: 'true' })
    const uploaded = JSON.parse(await call(`printf content > output.parquet; ${ZATABASE.upload}`, { job_id }))
    expect(uploaded.artifacts).toEqual([expect.objectContaining({ name: 'output.parquet', size: 7 })])
    const listed = JSON.parse(await call(ZATABASE.artifacts, { job_id }))
    expect(listed).toEqual(uploaded)
    const { artifact_id } = uploaded.artifacts[0]
    expect(await call(`${ZATABASE.download}; cat ${artifact_id}`, { job_id, artifact_id })).toBe('content')
  })

  test('stream a log over a WebSocket', async () => {
    const { body } = await server.call('POST', '/v1/jobs', { command: 'echo out; echo err >&2' })
    const socket = new WebSocket(
      `${server.url.replace('http', 'ws')}/v1/jobs/${body.job_id}/logs?token=${server.token}`,
    )
    const messages: object[] = []
    socket.on('message', data => messages.push(JSON.parse(data.toString())))
    await once(socket, 'close')
    const line = (stream: string, text: string) =>
      expect.objectContaining({ stream, line: text, timestamp: expect.any(String) })
    expect(messages).toEqual(expect.arrayContaining([line('stdout', 'out'), line('stderr', 'err')]))
  })
})
