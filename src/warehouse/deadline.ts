import { setTimeout as sleep } from 'node:timers/promises'
import { newId } from '../kernel/ids.ts'
import { WarehouseError } from './warehouse.ts'

type Options<T> = {
  readonly deadlineMs: number
  /** How long an engine that works may take to hear of the end. */
  readonly heedsMs?: number
  /** Ends a statement, or an engine that does not heed. */
  readonly cancel: (queryId: string) => Promise<void>
  readonly work: (statement: { readonly queryId: string; readonly signal: AbortSignal }) => Promise<T>
}

const HEEDS_MS = 5000

/**
 * For statements that make the engine understand SQL of users. It looks at neither `max_execution_time` nor KILL while it analyses; so who waits
 * is told at the deadline, and the statement is left to its end. Throws `WarehouseError`: `sql_error` where the engine hears that it is to end, else
 * `engine_unavailable`, for one that hears nothing (it is frozen, or the way to it is) says nothing of the SQL.
 */
export const withDeadline = async <T>({ deadlineMs, heedsMs = HEEDS_MS, cancel, work }: Options<T>): Promise<T> => {
  const queryId = newId()
  const signal = AbortSignal.timeout(deadlineMs)
  let heeded = Promise.resolve(false)
  const end = (): void => {
    const told = cancel(queryId).then(yes, no)
    heeded = Promise.race([told, sleep(heedsMs, false, { ref: false })])
  }
  signal.addEventListener('abort', end)
  try {
    return await work({ queryId, signal })
  } catch (error) {
    if (!signal.aborted) throw error
    if (!(await heeded)) throw new WarehouseError('engine_unavailable', 'The engine does not answer.', { cause: error })
    const message = `The engine did not understand the SQL within ${deadlineMs / 1000} seconds: make it simpler.`
    throw new WarehouseError('sql_error', message, { cause: error })
  } finally {
    // Else the engine would be asked to end, at the deadline, what has ended.
    signal.removeEventListener('abort', end)
  }
}

const yes = (): boolean => true
const no = (): boolean => false
