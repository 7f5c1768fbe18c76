import { expect, test } from 'vitest'
import { summarize, type TestResults } from '../../scripts/test-summary.ts'

const file = (name: string, tests: Readonly<Record<string, string>>, status = 'passed', message = '') => ({
  name,
  status,
  message,
  assertionResults: Object.entries(tests).map(([fullName, one]) => ({ fullName, status: one })),
})
const results = (...testResults: TestResults['testResults']): TestResults => ({ testResults })

test('a run without failures succeeds and says how many passed', () => {
  const summary = summarize(results(file('a', { one: 'passed', two: 'passed' })), 0)
  expect(summary).toEqual({ lines: ['2 passed, 0 failed'], ok: true })
})

test('a skipped test is named and counts as failed', () => {
  const summary = summarize(results(file('a', { one: 'passed', 'two (needs bubblewrap)': 'skipped' })), 0)
  expect(summary).toEqual({ lines: ['skipped: two (needs bubblewrap)', '1 passed, 1 failed'], ok: false })
})

test('a test skipped because the kernel lacks a feature is named and does not count', () => {
  const tests = { one: 'passed', 'held by cgroup (skipped: needs a writable cgroup v2) two': 'skipped' }
  const { lines, ok } = summarize(results(file('a', tests)), 0)
  expect(lines).toEqual([`skipped: ${Object.keys(tests)[1]}`, '1 passed, 0 failed'])
  expect(ok).toBe(true)
})

test('a file that fails before its tests counts as one failure', () => {
  const summary = summarize(results(file('a', { one: 'passed' }), file('b', {}, 'failed', 'no such module')), 0)
  expect(summary).toEqual({ lines: ['broken file: b: no such module', '1 passed, 1 failed'], ok: false })
})

test('a failed test is counted once, with the earlier failed checks', () => {
  const summary = summarize(results(file('a', { one: 'passed', two: 'failed' }, 'failed')), 2)
  expect(summary).toEqual({ lines: ['1 passed, 3 failed'], ok: false })
})

test('a run without any test fails', () => {
  expect(summarize(results(), 0).ok).toBe(false)
})
