import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'
import { examplesOf, runExamples } from './examples.ts'
import { shimPath } from './npx-shim.ts'

const ROOT = resolve(import.meta.dirname, '../..')

let directory: string
let server: TestServer
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-data-walk-'))
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
  server = await startTestServer()
})
afterAll(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

test('the data walk-through runs as written, on the real data set', { timeout: 180_000 }, async () => {
  const examples = examplesOf(readFileSync(join(ROOT, 'docs/data.md'), 'utf8'))
  const environment = {
    PATH: shimPath(directory),
    HOME: directory,
    MILLRACE_URL: server.url,
    MILLRACE_TOKEN: server.token,
  }
  const outputs = await runExamples([{ script: 'exec 2>&1', shown: null }, ...examples], {
    cwd: directory,
    environment,
  })
  for (const [index, { shown, script }] of examples.entries())
    if (shown !== null) expect(outputs[index + 1]!.trim(), script).toBe(shown.text.trim())
  const printed = outputs.join('')
  expect(printed).toMatch(/10,000 rows written/)
  expect(printed).toMatch(/1 row written, 1 row quarantined, 1 invalid line/)
  expect(printed).toMatch(/Canada goose +190 +15389869/)
  expect(printed).toMatch(/strikes\n +9991\n/)
  expect(printed).toMatch(/costs created/)
})
