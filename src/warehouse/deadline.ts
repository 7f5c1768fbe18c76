import { setTimeout as sleep } from 'node:timers/promises'
import { newId } from '../kernel/ids.ts'
import { WarehouseError } from './warehouse.ts'

type Options<T> = {
  readonly deadlineMs: number
  /** How long a working engine may take to accept the cancel. */
  readonly heedsMs?: number
  /** Cancels a statement, or kills an engine that does not react. */
  readonly cancel: (queryId: string) => Promise<void>
  readonly work: (statement: { readonly queryId: string; readonly signal: AbortSignal }) => Promise<T>
}

const HEEDS_MS = 5000

/**
 * Runs a statement that makes the engine analyse users' SQL. During analysis the engine ignores `max_execution_time` and KILL, so the call fails at the
 * deadline while the statement runs on. Throws `WarehouseError`: `sql_error` if the engine accepts the cancel; otherwise `engine_unavailable`, since a frozen
 * or unreachable engine proves nothing about the SQL.
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
    // Otherwise, at the deadline, the engine would be asked to cancel a statement that has already ended.
    signal.removeEventListener('abort', end)
  }
}

const yes = (): boolean => true
const no = (): boolean => false
