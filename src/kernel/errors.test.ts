import { expect, test } from 'vitest'
import { ERRORS, invalidField, isDiskFull, MillraceError } from './errors.ts'

const entries = Object.entries<{ http?: number; failure?: string; title: string; hint: string }>(ERRORS)

test.each(entries)('%s is a refusal or a failure, with a meaning and a hint', (code, entry) => {
  expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/)
  expect(entry.http !== undefined || entry.failure !== undefined).toBe(true)
  expect(entry.http ?? 400).toBeGreaterThanOrEqual(400)
  expect(entry.http ?? 599).toBeLessThan(600)
  expect(['user', 'system']).toContain(entry.failure ?? 'user')
  expect(entry.title).toMatch(/^[A-Z].*[^.]$/)
  expect(entry.hint).toMatch(/^[A-Z].*\.$/)
})

test('a refusal has the status of its code, and its title by default', () => {
  const error = new MillraceError('job_ended')
  expect(error).toMatchObject({ status: 409, message: 'The job has ended', errors: [], retryAfter: undefined })
  expect(new MillraceError('unavailable', 'Starting.', { retryAfter: 2 })).toMatchObject({ status: 503, retryAfter: 2 })
})

test('a wrong field is a 422 that names it', () => {
  const error = invalidField('jobs.3.name', 'must be text')
  expect(error.status).toBe(422)
  expect(error.errors).toEqual([{ path: 'jobs.3.name', message: 'must be text' }])
})

test.each([
  [Object.assign(new Error('full'), { code: 'ENOSPC' }), true],
  [Object.assign(new Error('quota'), { code: 'EDQUOT' }), true],
  [Object.assign(new Error('denied'), { code: 'EACCES' }), false],
  [new Error('other'), false],
  ['ENOSPC', false],
  [undefined, false],
])('%o means a full disk: %s', (error, full) => {
  expect(isDiskFull(error)).toBe(full)
})
