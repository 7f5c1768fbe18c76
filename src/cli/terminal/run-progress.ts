import type { RunCounts } from '../../model/workflow.ts'

const WIDTH = 24

/** A run's progress in one line, never wider than `columns`: how many items have ended, and the number in each status. */
export const runProgressLine = (input: {
  readonly counts: RunCounts
  readonly label: string
  readonly columns: number
}): string => {
  const { counts, label, columns } = input
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const ended = counts.completed + counts.failed + counts.cancelled
  const share = all === 0 ? 0 : ended / all
  const filled = Math.floor(share * WIDTH)
  const bar = `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${Math.floor(share * 100)}%`
  return `${bar}  ${ended} of ${all}  ${countsText(counts)}  ${label}`.slice(0, Math.max(20, columns - 1))
}

/** The non-zero counts: `3 running, 1 failed`. */
export const countsText = (counts: RunCounts): string =>
  (['running', 'queued', 'pending', 'failed', 'cancelled', 'completed'] as const)
    .filter(status => counts[status] > 0)
    .map(status => `${counts[status]} ${status}`)
    .join(', ')
