import fc from 'fast-check'
import { expect, test } from 'vitest'
import { commandDefinition } from '../executors/command/definition.ts'
import { createBodyCheck } from './check-body.ts'

const NOW = Date.parse('2026-11-21T12:00:00Z')
const checkBody = createBodyCheck([commandDefinition])
const check = (body: unknown) => checkBody(body, { path: '', now: NOW })

const errorsOf = (body: unknown): Record<string, string> => {
  const result = check(body)
  if (result.type !== 'wrong') throw new Error(`found ${result.type}`)
  return Object.fromEntries(result.errors.map(error => [error.path, error.message]))
}

test('the body in Zatabase’s document is valid, and its token is kept apart', () => {
  const result = check({
    name: 'nightly-export',
    command: 'python3 export.py --format parquet',
    working_dir: '/opt/scripts',
    environment: { OUTPUT_DIR: '/tmp/exports', ZATABASE_TOKEN: 'zt_1' },
    timeout_seconds: 3600,
  })
  expect(result).toMatchObject({
    type: 'right',
    body: { timeoutMs: 3_600_000, secrets: { 'environment.ZATABASE_TOKEN': 'zt_1' } },
  })
})

test.each<[string, unknown, string, RegExp]>([
  ['no object', [], '', /must be an object/],
  ['nothing to do', { name: 'x' }, '', /exactly one of/],
  ['two things to do', { command: 'x', query: 'SELECT 1' }, '', /exactly one of/],
  ['a number as command', { command: 5 }, 'command', /must be a string, or must be an array/],
  ['an empty list', { command: [] }, 'command', /must not be empty/],
  ['a name that is too long', { command: 'x', name: 'x'.repeat(10_000) }, 'name', /at most \d+ characters/],
  ['a number in the list', { command: ['a', 1] }, 'command.1', /must be a string/],
  ['an unknown field', { command: 'x', colour: 'red' }, 'colour', /not a known field/],
  ['an unknown field deep inside', { command: 'x', retry: { tries: 3 } }, 'retry.tries', /not a known field/],
  ['a name with control characters', { command: 'x', name: 'a\u0007b' }, 'name', /control characters/],
  ['an environment name with =', { command: 'x', environment: { 'A=B': '1' } }, 'environment.A=B', /without "="/],
  ['a label with control characters', { command: 'x', labels: { 'a\tb': '1' } }, 'labels.a\tb', /control characters/],
  ['a NUL in a value', { command: 'x', environment: { A: 'a\u0000' } }, 'environment.A', /NUL/],
  ['a relative working directory', { command: 'x', working_dir: 'here' }, 'working_dir', /absolute path/],
  ['an artifact outside', { command: 'x', artifacts: ['../../etc/passwd'] }, 'artifacts.0', /without "\.\."/],
  ['an absolute artifact', { command: 'x', artifacts: ['/etc/passwd'] }, 'artifacts.0', /relative/],
  ['a priority out of range', { command: 'x', priority: 101 }, 'priority', /100/],
  ['a timeout of 0', { command: 'x', timeout_seconds: 0 }, 'timeout_seconds', /greater than 0|> 0/],
  [
    'an unreadable interval',
    { command: 'x', retry: { initial_interval: 'soon' } },
    'retry.initial_interval',
    /duration/,
  ],
  ['an unreadable time', { command: 'x', scheduled_at: 'tomorrow' }, 'scheduled_at', /RFC 3339/],
  ['a time long past', { command: 'x', scheduled_at: '2026-11-21T11:58:00Z' }, 'scheduled_at', /60 seconds/],
  ['a time too far ahead', { command: 'x', scheduled_at: '2028-01-01T00:00:00Z' }, 'scheduled_at', /a year/],
  ['a sink of an unknown type', { command: 'x', sinks: [{ type: 'mail' }] }, 'sinks.0.type', /webhook or s3/],
  ['a sink without a URL', { command: 'x', sinks: [{ type: 'webhook' }] }, 'sinks.0.url', /required/],
  [
    'a sink that is not an http URL',
    { command: 'x', sinks: [{ type: 'webhook', url: 'ftp://a.example' }] },
    'sinks.0.url',
    /http or https/,
  ],
  ['a secret that does not occur', { command: 'x', secrets: ['PIN'] }, 'secrets', /PIN/],
])('%s is refused with its field', (_, body, path, message) => {
  expect(errorsOf(body)[path]).toMatch(message)
})

test('a time up to a minute ago means now, a later one is kept', () => {
  expect(check({ command: 'x', scheduled_at: '2026-11-21T11:59:30Z' })).toMatchObject({ body: { scheduledAt: null } })
  expect(check({ command: 'x', scheduled_at: '2026-11-21T13:00:00+01:00' })).toMatchObject({
    body: { scheduledAt: null },
  })
  expect(check({ command: 'x', scheduled_at: '2026-11-21T12:00:10.5Z' })).toMatchObject({
    body: { scheduledAt: NOW + 10_500 },
  })
})

test('a kind without an executor is distinguished from a wrong body', () => {
  const message = 'is of kind query, which this server does not run'
  const unavailable = { type: 'wrong', errors: [{ path: '', message, unavailable: true }] }
  expect(check({ query: 'SELECT 1' })).toEqual(unavailable)
})

test('faults of a batch have their path', () => {
  const result = checkBody({ command: 1 }, { path: 'jobs.3', now: NOW })
  expect(result).toMatchObject({ type: 'wrong', errors: [{ path: 'jobs.3.command' }] })
})

test('no JSON value makes the check throw', () => {
  fc.assert(fc.property(fc.jsonValue(), value => ['right', 'wrong'].includes(check(value).type)))
  const fields = fc.constantFrom(
    'command',
    'name',
    'labels',
    'retry',
    'environment',
    'scheduled_at',
    'secrets',
    'artifacts',
    'timeout_seconds',
  )
  fc.assert(
    fc.property(fc.dictionary(fields, fc.jsonValue()), value =>
      ['right', 'wrong'].includes(check({ command: 'x', ...value }).type),
    ),
  )
})
