import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { finished, printed } from '../cli/millrace.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const call = promisify(execFile)

const PATH = process.env
  .PATH!.split(delimiter)
  .filter(folder => !folder.includes('node_modules'))
  .join(delimiter)

/** As for a user: without what npm adds for a script, so that `node` is that of the machine. */
const environment = { HOME: process.env.HOME, PATH }
/** For npm itself, which may need a registry and its certificates. */
const npmEnvironment = { ...process.env, PATH }

let place: string
let command: string
beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), 'millrace-package-'))
  await call('npm', ['pack', '--pack-destination', place], { cwd: ROOT, env: npmEnvironment })
  const tarball = join(place, readdirSync(place).find(name => name.endsWith('.tgz'))!)
  // The data engine is optional, and half a gigabyte large.
  const options = [
    '--prefix',
    join(place, 'prefix'),
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--omit=dev',
    '--omit=optional',
  ]
  await call('npm', ['install', '--global', ...options, tarball], { cwd: place, env: npmEnvironment })
  command = join(place, 'prefix/bin/millrace')
}, 300_000)
afterAll(() => rmSync(place, { recursive: true, force: true }))

const run = (...args: readonly string[]) => finished(spawn(command, args, { cwd: place, env: environment }))

test('the installed command runs compiled files only', async () => {
  const folder = join(place, 'prefix/lib/node_modules/millrace')
  expect(readdirSync(folder)).toEqual(expect.arrayContaining(['bin', 'dist', 'docs', 'package.json']))
  expect(readdirSync(folder)).not.toContain('src')
  expect((await run('config')).stdout).toMatch(/^MILLRACE_PORT +default +7070$/m)
})

test('the installed server runs a job of the installed client, and stops on SIGTERM', async () => {
  const server = spawn(command, ['serve', '--port', '0'], { cwd: place, env: environment })
  const exit = once(server, 'exit')
  try {
    await printed(server.stdout, /is ready at/)
    const result = await run('run', '--', 'echo hi; echo err >&2; exit 4')
    expect(result).toEqual({ code: 4, stdout: 'hi\n', stderr: 'err\n' })
  } finally {
    server.kill('SIGTERM')
  }
  expect(await exit).toEqual([0, null])
})
