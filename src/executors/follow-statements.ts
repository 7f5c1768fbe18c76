import type { Statements } from '../data/statements.ts'
import type { ExecutionContext } from './executor.ts'
import { followProgress } from './follow-progress.ts'

/** Tells a job how far its statements are while `work` goes on. */
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
