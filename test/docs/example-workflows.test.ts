import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Compile } from 'typebox/compile'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { millrace } from '../cli/millrace.ts'
import { startTestServer, type TestServer } from '../server.ts'
import { runScript } from './examples.ts'
import { shimPath } from './npx-shim.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const FILES = join(ROOT, 'examples/workflows')

let server: TestServer
let directory: string
beforeAll(async () => {
  server = await startTestServer({ settings: { 'functions-dir': join(ROOT, 'examples/functions') } })
  directory = mkdtempSync(join(tmpdir(), 'millrace-examples-'))
})
afterAll(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

const account = () => ({ MILLRACE_URL: server.url, MILLRACE_TOKEN: server.token })

test('the example files can be applied unchanged, and applying them again changes nothing', {
  timeout: 120_000,
}, async () => {
  const environment = {
    ...account(),
    SITE_URL: 'https://example.com',
    WEBHOOK_URL: 'https://example.com/hook',
    WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 'x').toString('base64')}`,
    DATABASE_PASSWORD: 'a password of the example',
  }
  const names = readdirSync(FILES)
    .filter(file => file.endsWith('.yaml'))
    .flatMap(file => [...parseAllDocuments(readFileSync(join(FILES, file), 'utf8'))].map(one => one.toJS().name))
  const applied = await millrace(['workflows', 'apply', FILES, '--yes'], { cwd: directory, environment })
  expect(applied.stderr.split('\n').filter(Boolean).toSorted()).toEqual(
    names.map(name => `millrace: ${name} created`).toSorted(),
  )
  expect(applied.stdout + applied.stderr).not.toContain('a password of the example')
  const again = await millrace(['workflows', 'apply', FILES, '--dry-run'], { cwd: directory, environment })
  expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining(`${names.length} unchanged`) })
})

test('the published schema accepts the example files and rejects a wrong one', async () => {
  const { body: schema } = await server.call('GET', '/schemas/workflow.json')
  const validator = Compile(schema)
  const faultsOf = (value: unknown) => validator.Errors(value)
  const definitions = readdirSync(FILES)
    .filter(file => file.endsWith('.yaml'))
    .flatMap(file => [...parseAllDocuments(readFileSync(join(FILES, file), 'utf8'))].map(one => one.toJS()))
  for (const definition of definitions) {
    expect(faultsOf(definition), definition.name).toEqual([])
    expect(faultsOf({ $schema: 'http://127.0.0.1:7070/schemas/workflow.json', ...definition })).toEqual([])
    expect(faultsOf({ ...definition, payload: [{ ...definition.payload[0], priority: 'high' }] })).not.toEqual([])
    expect(faultsOf({ ...definition, shedule: {} })).not.toEqual([])
  }
})

test('the workflow in the README runs as printed', { timeout: 120_000 }, async () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const [, script] = /```sh\n(printf[^`]*workflows apply[^`]*)```/.exec(readme)!
  const environment = { PATH: shimPath(directory), HOME: directory, ...account() }
  const output = await runScript(script!, { cwd: directory, environment })
  expect(output).toContain('+ hello  new: hello.yaml:1')
  const { body } = await server.call('GET', '/v1/workflows/hello/runs')
  expect(body.runs).toMatchObject([{ status: 'completed', trigger: 'manual' }])
})
