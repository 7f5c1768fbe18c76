import type { RunCounts } from '../../model/workflow.ts'
import { bar, cutLine } from './bar.ts'

/** A run's progress in one line, never wider than `columns`: how many items have ended, and the number in each status. */
export const runProgressLine = (input: {
  readonly counts: RunCounts
  readonly label: string
  readonly columns: number
}): string => {
  const { counts, label, columns } = input
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const ended = counts.completed + counts.failed + counts.cancelled
  const percentage = all === 0 ? 0 : Math.floor((ended / all) * 100)
  return cutLine(`${bar(percentage)}  ${ended} of ${all}  ${countsText(counts)}  ${label}`, columns)
}

/** The non-zero counts: `3 running, 1 failed`. */
export const countsText = (counts: RunCounts): string =>
  (['running', 'queued', 'pending', 'failed', 'cancelled', 'completed'] as const)
    .filter(status => counts[status] > 0)
    .map(status => `${counts[status]} ${status}`)
    .join(', ')
