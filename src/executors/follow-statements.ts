import type { Statements } from '../data/statements.ts'
import type { ExecutionContext } from './executor.ts'
import { followProgress } from './follow-progress.ts'

/** Tells a job how far its statements are while `work` goes on, and gives what was read as far as it was seen. */
export const withStatementProgress = async <T>(
  statements: Statements,
  context: Pick<ExecutionContext, 'progress' | 'logger'>,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly read: Readonly<Record<string, number>> }> => {
  const follower = followProgress(() => statements.progress(), context)
  try {
    const result = await work()
    const latest = follower.latest()
    return { result, read: latest === null ? {} : { rows_read: latest.rowsRead, bytes_read: latest.bytesRead } }
  } finally {
    await follower.end()
  }
}
