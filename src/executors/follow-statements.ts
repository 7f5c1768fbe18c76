import type { Statements } from '../data/statements.ts'
import type { ExecutionContext } from './executor.ts'
import { followProgress } from './follow-progress.ts'

/** Reports the progress of a job's statements while `work` runs. */
export const withStatementProgress = async <T>(
  statements: Statements,
  context: Pick<ExecutionContext, 'progress' | 'logger'>,
  work: () => Promise<T>,
): Promise<T> => {
  const follower = followProgress(() => statements.progress(), context)
  try {
    return await work()
  } finally {
    await follower.end()
  }
}
