import { expect, test } from 'vitest'
import { unknownField } from './unknown-field.ts'

const FIELDS = ['name', 'retry', 'timeout_seconds', 'time_zone', 'crons', 'environment', 'labels']

test('a similar field is suggested', () => {
  const meant = {
    retries: 'retry',
    timeout: 'timeout_seconds',
    timezone: 'time_zone',
    cron: 'crons',
    env: 'environment',
  }
  for (const [said, field] of Object.entries(meant))
    expect(unknownField(said, FIELDS)).toBe(`is not a known field; did you mean ${field}?`)
})

test('nothing is suggested if no field is similar', () => {
  for (const said of ['depends_on', 'cwd', 'x'.repeat(100_000), `${'/'.repeat(100)}/name`, ''])
    expect(unknownField(said, FIELDS)).toBe('is not a known field')
})

test('a field that belongs elsewhere is suggested with its path', () => {
  const within = { configuration: ['retry', 'environment'], schedule: ['crons', 'time_zone'] }
  expect(unknownField('cron', ['name', 'schedule'], within)).toBe('is not a known field; did you mean schedule.crons?')
  expect(unknownField('retries', ['name'], within)).toBe('is not a known field; did you mean configuration.retry?')
  expect(unknownField('scheduel', ['name', 'schedule'], within)).toBe('is not a known field; did you mean schedule?')
  expect(unknownField('depends_on', ['name'], within)).toBe('is not a known field')
})
