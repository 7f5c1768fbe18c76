import type { JobAnswer } from '../client/job-answer.ts'
import { oneLine } from './plain-text.ts'

const WIDTH = 24

/** A query's progress in one line, never wider than `columns`: a bar if the engine knows the total, and the rows. */
export const queryProgressLine = (
  { status, progress }: Pick<JobAnswer, 'status' | 'progress'>,
  columns: number,
): string => {
  const { percentage = null, message = null } = progress ?? {}
  const filled = Math.floor(((percentage ?? 0) / 100) * WIDTH)
  const bar = percentage === null ? '' : `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${percentage}%  `
  return `${bar}${oneLine(message ?? status)}`.slice(0, Math.max(20, columns - 1))
}
