import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../free-port.ts'
import { startTestServer, type TestServer } from '../server.ts'
import { examplesOf, runExamples, runScript } from './examples.ts'
import { shimPath } from './npx-shim.ts'

const ROOT = resolve(import.meta.dirname, '../..')

let directory: string
let server: TestServer
let shop: ChildProcess | undefined
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-walk-'))
  mkdirSync(join(directory, 'functions'))
  server = await startTestServer({
    settings: {
      'functions-dir': join(directory, 'functions'),
      'allow-private-addresses': '127.0.0.1',
      'shutdown-grace': '100ms',
    },
  })
})
afterAll(async () => {
  shop?.kill('SIGKILL')
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

const startShop = async (port: number): Promise<string[]> => {
  const told: string[] = []
  shop = spawn(process.execPath, ['shop.mjs'], { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] })
  shop.stdout!.on('data', data => told.push(...String(data).trim().split('\n')))
  await expect
    .poll(
      () =>
        fetch(`http://127.0.0.1:${port}/`).then(
          answer => answer.ok,
          () => false,
        ),
      { timeout: 20_000 },
    )
    .toBe(true)
  return told
}

test('the workflow walk-through runs as written, and the webhook is called', { timeout: 180_000 }, async () => {
  const port = await freePort()
  const page = readFileSync(join(ROOT, 'docs/workflows.md'), 'utf8').replaceAll('8099', String(port))
  const [makeShop, ...examples] = examplesOf(page)
  const environment = {
    PATH: shimPath(directory),
    HOME: directory,
    MILLRACE_URL: server.url,
    MILLRACE_TOKEN: server.token,
  }
  await runScript(makeShop!.script, { cwd: directory, environment })
  const told = await startShop(port)

  const outputs = await runExamples([{ script: 'exec 2>&1', shown: null }, ...examples], {
    cwd: directory,
    environment,
  })
  for (const [index, { shown, script }] of examples.entries()) {
    if (shown === null) continue
    expect(outputs[index + 1]!.trim(), script).toBe(shown.text.trim())
  }
  const printed = outputs.join('')
  expect(printed).toContain('0 new, 0 changed, 1 unchanged')
  expect(printed).toMatch(/wrong\.yaml:3: payload\.0\.api: /)
  expect(printed).toMatch(/wrong\.yaml:9: schedule\.crons\.0: matches no date/)
  expect(printed).toContain('exit code 2')
  expect(printed).toContain('- nightly-products  to be deleted')
  expect(printed).toContain('nightly-products deleted')

  await expect
    .poll(() => told.toSorted(), { timeout: 30_000 })
    .toEqual([
      'job.completed {"name":"chair","price":45}',
      'job.completed {"name":"lamp","price":30}',
      'job.completed {"name":"table","price":120}',
    ])
})

test('every test that docs/workflows.md names exists', () => {
  const page = readFileSync(join(ROOT, 'docs/workflows.md'), 'utf8')
  const names = [...page.matchAll(/\| "([^|]+)" \|$/gm)].map(([, name]) => name!)
  expect(names.length).toBeGreaterThan(25)
  const files = ['src', 'test'].flatMap(folder =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter(file => /\.ts$/.test(file) && file !== 'docs/walk-through.test.ts')
      .map(file => readFileSync(join(ROOT, folder, file), 'utf8')),
  )
  const tests = files.join('\n').replaceAll("\\'", "'")
  expect(names.filter(name => !tests.includes(name))).toEqual([])
})
