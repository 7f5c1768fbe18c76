import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { ConfigError, loadConfig } from './config.ts'
import { settings } from './settings.ts'

const directories: string[] = []
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
})

const directory = (file?: string): string => {
  const path = mkdtempSync(join(tmpdir(), 'millrace-config-'))
  directories.push(path)
  if (file !== undefined) writeFileSync(join(path, 'millrace.config.json'), file)
  return path
}

type Given = { flags?: Record<string, string>; environment?: Record<string, string>; file?: string }
const load = ({ flags = {}, environment = {}, file }: Given) =>
  loadConfig({ flags, environment, directory: directory(file) })

const messageOf = (given: Given): string | null => {
  try {
    load(given)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message
  }
  return null
}

const faultsOf = (given: Given): string => {
  const message = messageOf(given)
  if (message === null) throw new Error('no fault was found')
  return message
}

test('flags override the environment, the environment the file, the file the default', () => {
  const file = '{"MILLRACE_HOST": "file", "MILLRACE_PORT": 1, "JOB_QUEUE_MAX_WORKERS": 7}'
  const environment = { MILLRACE_HOST: 'environment', MILLRACE_PORT: '2' }
  const { config, origins } = load({ flags: { host: 'flag' }, environment, file })
  expect(config).toMatchObject({ host: 'flag', port: 2, maxWorkers: 7, logLevel: 'info' })
  expect(origins).toMatchObject({ host: 'flag', port: 'environment', maxWorkers: 'file', logLevel: 'default' })
})

test('every default is valid, and the result is frozen', () => {
  const { config } = load({})
  expect(config).toMatchObject({ host: '127.0.0.1', port: 7070, dataDir: resolve('data'), databaseUrl: null })
  expect(config).toMatchObject({ publicUrl: 'http://127.0.0.1:7070', roles: ['api', 'scheduler', 'worker'] })
  expect(Object.isFrozen(config)).toBe(true)
})

test('all faults of all sources are reported at once', () => {
  const message = faultsOf({
    flags: { port: '99999' },
    environment: { MILLRACE_ROLES: 'api,king', JOB_QUEUE_MAX_WORKERS: '0', MILLRACE_PUBLIC_URL: 'ftp://x' },
    file: '{"MILLRACE_RETENTION_JOBS": "soon", "MILLRACE_PROT": 1, "MILLRACE_LOG_LEVEL": ["info"]}',
  })
  expect(message).toContain('MILLRACE_PORT (flag): "99999" is not a whole number from 0 to 65535')
  expect(message).toContain('MILLRACE_ROLES (environment): "api,king" is not one of api, scheduler, worker')
  expect(message).toContain('JOB_QUEUE_MAX_WORKERS (environment): "0" is not')
  expect(message).toContain('MILLRACE_PUBLIC_URL (environment): the value is not an http or https URL')
  expect(message).toContain('MILLRACE_RETENTION_JOBS (file): "soon" is not a duration')
  expect(message).toContain('MILLRACE_PROT is not a setting')
  expect(message).toContain('MILLRACE_LOG_LEVEL must be text')
})

test.each(['{', '[]', 'null', '"text"'])('a configuration file that holds %s is a fault', file => {
  expect(faultsOf({ file })).toContain('millrace.config.json')
})

test.each([
  'mysql://me:hunter2@host/db',
  's3://key:hunter2@bucket/x',
  's3:/key:hunter2/bucket',
  's3://bucket/?secret_access_key=hunter2',
  's3://bucket/?endpoint=https://key:hunter2@s3.test',
  'https//me:hunter2@host',
  'ftp://host/?token=hunter2',
  'file://me:hunter2@host/x%',
])('no fault of a setting repeats %s', value => {
  let faults = 0
  for (const { env, flag } of settings) {
    const given = { environment: { [env]: value }, flags: { [flag]: value }, file: JSON.stringify({ [env]: value }) }
    for (const [source, of] of Object.entries(given)) {
      const message = messageOf({ [source]: of })
      if (/^MILLRACE_(DATABASE|BLOB|CLICKHOUSE|PUBLIC)_URL$/.test(env)) expect(message).toContain(`${env} (`)
      if (message !== null) faults++
      expect(message ?? '').not.toContain('hunter2')
    }
  }
  expect(faults).toBeGreaterThan(60)
})

test.each(['{"MILLRACE_DATABASE_URL": hunter2}', '{"MILLRACE_ADMIN_TOKEN": "hunter2', '{\n"A": "hunter2" "hunter2"}'])(
  'a configuration file that is not JSON is not quoted: %j',
  file => {
    const message = faultsOf({ file })
    expect(message).toContain('millrace.config.json: not JSON')
    expect(message).not.toContain('hunter2')
  },
)

test('a public URL with a password is a fault, since it is shown to everybody', () => {
  expect(faultsOf({ environment: { MILLRACE_PUBLIC_URL: 'https://me:hunter2@host' } })).toContain(
    'without user and password',
  )
})

test.each([
  [{ MILLRACE_HOST: '0.0.0.0' }, 'http://127.0.0.1:7070'],
  [{ MILLRACE_HOST: '::' }, 'http://127.0.0.1:7070'],
  [{ MILLRACE_HOST: 'fd00::1', MILLRACE_PORT: '80' }, 'http://[fd00::1]:80'],
  [{ MILLRACE_PUBLIC_URL: 'https://jobs.example//' }, 'https://jobs.example'],
])('the public URL of %j is %s', (environment, url) => {
  expect(load({ environment }).config.publicUrl).toBe(url)
})

test('sizes and durations are read as people write them, and retention 0 means for ever', () => {
  const environment = {
    MILLRACE_LOG_MAX_BYTES: '2 GiB',
    MILLRACE_SHUTDOWN_GRACE: '1m30s',
    MILLRACE_RETENTION_LOGS: '0',
  }
  expect(load({ environment }).config).toMatchObject({
    logMaxBytes: 2 * 1024 ** 3,
    shutdownGraceMs: 90_000,
    retentionLogsMs: Number.POSITIVE_INFINITY,
  })
})

test.each(['0', '0d', '0s', '0 days'])('a retention of %s means for ever', value => {
  expect(load({ environment: { MILLRACE_RETENTION_JOBS: value } }).config.retentionJobsMs).toBe(
    Number.POSITIVE_INFINITY,
  )
})

test.each([
  ['MILLRACE_HOST', '', 'an address or a host name'],
  ['MILLRACE_HOST', ' 127.0.0.1', 'an address or a host name'],
  ['MILLRACE_DATA_DIR', '', 'the path of a directory'],
  ['MILLRACE_DATABASE_URL', 'postgres://user:pass#word@host/db', 'percent-encoded'],
  ['MILLRACE_SHUTDOWN_GRACE', '30d', 'a duration of at most 24 days'],
  ['MILLRACE_MAX_BODY_BYTES', '0', 'a size above 0'],
  ['MILLRACE_MAX_ARTIFACT_BYTES', '0', 'a size above 0'],
  ['MILLRACE_MAX_UPLOAD_BYTES', '0', 'a size above 0'],
])('%s=%j is refused, and the message says what is valid', (env, value, valid) => {
  const message = faultsOf({ environment: { [env]: value } })
  expect(message).toContain(`${env} (environment)`)
  expect(message).toContain(valid)
})

test('a database on a local socket needs no host', () => {
  const environment = { MILLRACE_DATABASE_URL: 'postgres://me@/millrace?host=/run/postgresql' }
  expect(load({ environment }).config.databaseUrl).toBe(environment.MILLRACE_DATABASE_URL)
})

test('every setting has its own variable and flag, and a description', () => {
  expect(new Set(settings.map(setting => setting.env)).size).toBe(settings.length)
  expect(new Set(settings.map(setting => setting.flag)).size).toBe(settings.length)
  for (const { flag, about } of settings) {
    expect(flag).toMatch(/^[a-z]+(-[a-z]+)*$/)
    expect(about.length).toBeGreaterThan(5)
  }
})

test('limits of 0 for data jobs, which the engine would take as no limit, are refused', () => {
  const message = faultsOf({ flags: { 'query-memory': '0', 'engine-memory': '0 MB', 'max-result-bytes': '0' } })
  for (const name of ['MILLRACE_QUERY_MEMORY', 'MILLRACE_ENGINE_MEMORY', 'JOB_MAX_RESULT_BYTES'])
    expect(message).toMatch(new RegExp(`${name}.*is not a size above 0`))
})
