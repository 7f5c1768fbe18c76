import type { JobAnswer } from '../client/job-answer.ts'
import { bar, cutLine } from './bar.ts'
import { oneLine } from './plain-text.ts'

/** A query's progress in one line, never wider than `columns`: a bar if the engine knows the total, and the rows. */
export const queryProgressLine = (
  { status, progress }: Pick<JobAnswer, 'status' | 'progress'>,
  columns: number,
): string => {
  const { percentage = null, message = null } = progress ?? {}
  return cutLine(`${percentage === null ? '' : `${bar(percentage)}  `}${oneLine(message ?? status)}`, columns)
}
