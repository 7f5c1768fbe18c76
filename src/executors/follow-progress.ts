import type { QueryProgress } from '../warehouse/warehouse.ts'
import type { ExecutionContext } from './executor.ts'
import { toProgress } from './progress-text.ts'

const EVERY_MS = 1000

/** Of one query. */
export type ProgressFollower = {
  /** The last that was heard; null: it has not run that long. */
  readonly latest: () => QueryProgress | null
  /** Stops asking; resolves when no question is open. */
  readonly end: () => Promise<void>
}

/** Asks how far a query is, once a second, and tells the job. */
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

/** An engine that is too busy to answer, or gone, is no fault of the query here: that shows where its rows come from. */
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
