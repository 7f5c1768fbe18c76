import { expect, test } from 'vitest'
import { queryProgressLine } from './query-progress.ts'

test('a query with a known total has a bar', () => {
  const line = queryProgressLine({ status: 'running', progress: { percentage: 50, message: '5 of 10 rows' } }, 80)
  expect(line).toBe(`${'█'.repeat(12)}${'░'.repeat(12)} 50%  5 of 10 rows`)
})

test.each([
  [{ percentage: null, message: '7 rows' }, '7 rows'],
  [null, 'queued'],
])('a query without a total has no bar: %j', (progress, line) => {
  expect(queryProgressLine({ status: 'queued', progress }, 80)).toBe(line)
})

test('the line is never wider than the terminal', () => {
  const line = queryProgressLine({ status: 'running', progress: { percentage: 10, message: 'x'.repeat(200) } }, 60)
  expect(line).toHaveLength(59)
})
