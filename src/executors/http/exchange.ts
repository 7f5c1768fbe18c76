import type { Clock } from '../../kernel/clock.ts'
import type { Statistics } from '../../model/outcome.ts'

/** One request while it is under way: what fails is known in part. */
export interface Exchange {
  /** ms since the call. */
  readonly elapsedMs: number
  /** The answer has begun. */
  answered(status: number): void
  /** So many bytes of its body are kept now. */
  kept(bytes: number): void
  /** `elapsed_ms` and, once an answer has begun, `http_status` and `bytes`. */
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
