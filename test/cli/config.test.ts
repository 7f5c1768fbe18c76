import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { settings } from '../../src/kernel/settings.ts'
import { millrace } from './millrace.ts'

let cwd: string
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
  writeFileSync(join(cwd, 'millrace.config.json'), '{"JOB_QUEUE_MAX_WORKERS": 8}')
})
afterAll(() => rmSync(cwd, { recursive: true }))

test('config prints every setting, its value and its origin, but no secret', async () => {
  const environment = { MILLRACE_ADMIN_TOKEN: 'hunter22hunter22', MILLRACE_RETENTION_JOBS: '0' }
  const { code, stdout } = await millrace(['config', '--port', '8080'], { cwd, environment })
  expect(code).toBe(0)
  expect(stdout).toMatch(/^MILLRACE_PORT +flag +8080$/m)
  expect(stdout).toMatch(/^JOB_QUEUE_MAX_WORKERS +file +8$/m)
  expect(stdout).toMatch(/^MILLRACE_ADMIN_TOKEN +environment +\*\*\*$/m)
  expect(stdout).toMatch(/^MILLRACE_RETENTION_JOBS +environment +forever$/m)
  expect(stdout).toMatch(/^MILLRACE_RETENTION_LOGS +default +30d$/m)
  expect(stdout).toMatch(/^JOB_RESULT_TTL_HOURS +default +24$/m)
  expect(stdout).toMatch(/^MILLRACE_MAX_BODY_BYTES +default +16MiB$/m)
  expect(stdout).toMatch(/^MILLRACE_IMPORT_DIRS +default +-$/m)
  expect(stdout).not.toContain('hunter22')
})

test('variables and keys that are probably misspelt are reported, those of other programs are not', async () => {
  const environment = {
    MILLRACE_PROT: '1',
    MILLRACE_MAX_WORKERS: '2',
    JOB_QUEUE_MAX_WORKER: '2',
    JOB_NAME: 'x',
    MILLRACE_URL: 'x',
    MILLRACE_SERVICE_HOST: '10.0.0.1',
  }
  const { code, stderr } = await millrace(['config'], { cwd, environment })
  expect([code, stderr]).toEqual([
    0,
    'millrace: the variable MILLRACE_PROT is not a setting and has no effect; did you mean MILLRACE_PORT?\n' +
      'millrace: the variable MILLRACE_MAX_WORKERS is not a setting and has no effect; did you mean JOB_QUEUE_MAX_WORKERS?\n' +
      'millrace: the variable JOB_QUEUE_MAX_WORKER is not a setting and has no effect; did you mean JOB_QUEUE_MAX_WORKERS?\n',
  ])
})

test('a boolean flag needs no value', async () => {
  const value = async (...flags: string[]) =>
    JSON.parse((await millrace(['config', '--json', ...flags], { cwd })).stdout).MILLRACE_TAKE_OVER_TABLES
  expect(await value()).toEqual({ value: false, origin: 'default' })
  expect(await value('--take-over-tables')).toEqual({ value: true, origin: 'flag' })
  expect(await value('--take-over-tables', '--port', '8080')).toEqual({ value: true, origin: 'flag' })
  expect(await value('--take-over-tables', 'false')).toEqual({ value: false, origin: 'flag' })
  const wrong = await millrace(['config', '--take-over-tables', 'perhaps'], { cwd })
  expect(wrong.stderr).toContain('one of true, false')
})

test('config --json has every setting under the name of its variable', async () => {
  const { stdout } = await millrace(['config', '--json'], { cwd })
  const printed = JSON.parse(stdout)
  expect(Object.keys(printed)).toEqual(settings.map(setting => setting.env))
  expect(printed.JOB_QUEUE_MAX_WORKERS).toEqual({ value: 8, origin: 'file' })
})

test('help names every command and the exit codes; help of serve names every flag', async () => {
  const { code, stdout } = await millrace(['--help'], { cwd })
  expect(code).toBe(0)
  for (const name of ['serve', 'run', 'submit', 'jobs', 'job', 'logs', 'cancel', 'rerun', 'artifacts', 'tokens'])
    expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'))
  expect(stdout).toContain('Exit codes:')
  const serve = await millrace(['serve', '--help'], { cwd })
  for (const { flag, env, isSwitch } of settings) {
    expect(serve.stdout).toContain(`--${flag} ${isSwitch ? '[value]' : '<value>'}`)
    expect(serve.stdout).toContain(env)
  }
})
