import type { Clock } from '../../kernel/clock.ts'
import type { Statistics } from '../../model/outcome.ts'

/** One request in flight. Records what is known so far, for the case that it fails. */
export interface Exchange {
  /** ms since the request was sent. */
  readonly elapsedMs: number
  /** Call when the response has begun. */
  answered(status: number): void
  /** Sets how many bytes of the body are kept so far. */
  kept(bytes: number): void
  /** `elapsed_ms` and, once a response has begun, `http_status` and `bytes`. */
  statistics(elapsedMs?: number): Statistics
}

export const startExchange = (clock: Clock): Exchange => {
  const startedAt = clock.monotonic()
  let status: number | null = null
  let bytes = 0
  const elapsed = () => Math.round(clock.monotonic() - startedAt)
  return {
    get elapsedMs() {
      return elapsed()
    },
    answered: value => {
      status = value
    },
    kept: value => {
      bytes = value
    },
    statistics: (elapsedMs = elapsed()) => ({
      ...(status !== null && { http_status: status, bytes }),
      elapsed_ms: elapsedMs,
    }),
  }
}
