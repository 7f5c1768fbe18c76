import { expect, test } from 'vitest'
import { countsText, runProgressLine } from './run-progress.ts'

const none = { pending: 0, queued: 0, running: 0, completed: 0, failed: 0, cancelled: 0 }

test('the bar grows with every ended item, however it ended', () => {
  const counts = { ...none, pending: 2, running: 3, completed: 4, failed: 1 }
  expect(runProgressLine({ counts, label: 'running', columns: 120 })).toBe(
    '████████████░░░░░░░░░░░░ 50%  5 of 10  3 running, 2 pending, 1 failed, 4 completed  running',
  )
})

test('a run without ended items is at 0, one with all ended at 100', () => {
  expect(runProgressLine({ counts: none, label: 'pending', columns: 80 })).toContain(' 0%  0 of 0')
  expect(runProgressLine({ counts: { ...none, cancelled: 7 }, label: '', columns: 80 })).toContain('100%  7 of 7')
})

test('the line is never wider than the terminal', () => {
  const counts = { pending: 1, queued: 1, running: 1, completed: 1, failed: 1, cancelled: 1 }
  for (const columns of [30, 60, 200])
    expect(runProgressLine({ counts, label: 'x'.repeat(300), columns }).length).toBeLessThan(columns)
})

test('counts of 0 are not shown', () => {
  expect(countsText({ ...none, failed: 2 })).toBe('2 failed')
  expect(countsText(none)).toBe('')
})
