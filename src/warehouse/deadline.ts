import { newId } from '../kernel/ids.ts'
import { WarehouseError } from './warehouse.ts'

type Options<T> = {
  readonly deadlineMs: number
  /** Ends a statement, or an engine that does not heed. */
  readonly cancel: (queryId: string) => Promise<void>
  readonly work: (statement: { readonly queryId: string; readonly signal: AbortSignal }) => Promise<T>
}

/**
 * For statements that make the engine understand SQL of users. It looks at neither `max_execution_time` nor KILL while it analyses; so who waits
 * is told at the deadline, and the statement is left to its end. Throws `WarehouseError`.
 */
export const withDeadline = async <T>({ deadlineMs, cancel, work }: Options<T>): Promise<T> => {
  const queryId = newId()
  const signal = AbortSignal.timeout(deadlineMs)
  const end = (): void => void cancel(queryId).catch(ignore)
  signal.addEventListener('abort', end)
  try {
    return await work({ queryId, signal })
  } catch (error) {
    if (!signal.aborted) throw error
    const message = `The engine did not understand the SQL within ${deadlineMs / 1000} seconds: make it simpler.`
    throw new WarehouseError('sql_error', message, { cause: error })
  } finally {
    // Else the engine would be asked to end, at the deadline, what has ended.
    signal.removeEventListener('abort', end)
  }
}

const ignore = (): void => {}
