import type { QueryProgress } from '../../warehouse/warehouse.ts'
import type { ExecutionContext } from '../executor.ts'
import { toProgress } from './progress-text.ts'

const EVERY_MS = 1000

/** Asks how far a query is, once a second, and tells the job. `end` stops it and resolves when no question is open. */
export const followProgress = (
  ask: () => Promise<QueryProgress | null>,
  context: Pick<ExecutionContext, 'progress' | 'logger'>,
): { readonly end: () => Promise<void> } => {
  let asking: Promise<void> | null = null
  const timer = setInterval(() => {
    asking ??= askOnce(ask, context).finally(() => {
      asking = null
    })
  }, EVERY_MS)
  return {
    end: async () => {
      clearInterval(timer)
      await asking
    },
  }
}

/** An engine that is too busy to answer, or gone, is no fault of the query here: that shows where its rows come from. */
const askOnce = async (
  ask: () => Promise<QueryProgress | null>,
  { progress, logger }: Pick<ExecutionContext, 'progress' | 'logger'>,
): Promise<void> => {
  try {
    const answer = await ask()
    if (answer !== null) progress(toProgress(answer))
  } catch (error) {
    logger.debug({ err: error }, 'the progress of a query could not be read')
  }
}
