import { FetchError } from './fetch-error.ts'
import { LONGEST_TIMER_MS } from './longest-timer.ts'

/** When to give up on a request: its timeout has passed or its caller has aborted, whichever is first. */
export interface Deadline {
  /** What to throw once it has passed: a `FetchError` with code `timeout`, or the reason of the caller's signal. null before. */
  readonly reason: Error | null
  /** Throws if it has already passed. */
  whenOver(listener: (reason: Error) => void): void
  /** Clears the timer and detaches from the signal. */
  end(): void
}

export const startDeadline = (options: { timeoutMs?: number; signal?: AbortSignal }): Deadline => {
  const { timeoutMs, signal } = options
  const over = new AbortController()
  const abort = () => over.abort(signal?.reason)
  const timeout = () => over.abort(new FetchError('timeout', `It took longer than ${timeoutMs} ms.`))
  const timer = timeoutMs === undefined ? undefined : setTimeout(timeout, Math.min(timeoutMs, LONGEST_TIMER_MS))
  if (signal?.aborted) abort()
  signal?.addEventListener('abort', abort)
  return {
    get reason() {
      return over.signal.aborted ? over.signal.reason : null
    },
    whenOver: listener => {
      over.signal.throwIfAborted()
      over.signal.addEventListener('abort', () => listener(over.signal.reason), { once: true })
    },
    end: () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    },
  }
}
