import type { QueryProgress } from '../warehouse/warehouse.ts'
import type { ExecutionContext } from './executor.ts'
import { toProgress } from './progress-text.ts'

const EVERY_MS = 1000

/** Follows the progress of one query. */
export type ProgressFollower = {
  /** The last progress received; null: the query has not run long enough. */
  readonly latest: () => QueryProgress | null
  /** Stops polling. Resolves when no request is in flight. */
  readonly end: () => Promise<void>
}

/** Polls the progress of a query once a second and reports it to the job. */
export const followProgress = (
  ask: () => Promise<QueryProgress | null>,
  context: Pick<ExecutionContext, 'progress' | 'logger'>,
): ProgressFollower => {
  let asking: Promise<void> | null = null
  let latest: QueryProgress | null = null
  const timer = setInterval(() => {
    asking ??= askOnce(ask, context)
      .then(answer => {
        latest = answer ?? latest
      })
      .finally(() => {
        asking = null
      })
  }, EVERY_MS)
  return {
    latest: () => latest,
    end: async () => {
      clearInterval(timer)
      await asking
    },
  }
}

/** An engine too busy to answer, or gone, must not fail the query here: a lost engine shows where the query's rows are read. */
const askOnce = async (
  ask: () => Promise<QueryProgress | null>,
  context: Pick<ExecutionContext, 'progress' | 'logger'>,
): Promise<QueryProgress | null> => {
  try {
    const answer = await ask()
    if (answer !== null) context.progress(toProgress(answer))
    return answer
  } catch (error) {
    context.logger.debug({ err: error }, 'the progress of a query could not be read')
    return null
  }
}
