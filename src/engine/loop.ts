import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import { LONGEST_TIMER_MS } from '../kernel/longest-timer.ts'

/** Something done repeatedly: on a timer, and at once when woken. */
export interface Loop {
  /** Runs at once, then every `intervalMs`. Idempotent. */
  start(): void
  /** Resolves when the current run has ended. No run begins after the call. Idempotent; a stopped loop stays stopped. */
  stop(): Promise<void>
  /** Runs now, or once more after the current run. Calls before `start` are covered by its first run. */
  wake(): void
}

export type LoopOptions = {
  /** Name in the log. */
  readonly name: string
  /** From the end of one run to the start of the next, in ms. */
  readonly intervalMs: number
  /**
   * One run. Never overlaps itself. May resolve with the ms until it wants to run again, if sooner than `intervalMs` (0: there is more to do), or null for the
   * regular interval. `signal` aborts at `stop`; a long run should heed it.
   */
  readonly runOnce: (signal: AbortSignal) => Promise<number | null>
  /** The longest wait after failures in a row, in ms. 30 s by default. */
  readonly longestBackoffMs?: number
  readonly logger: Logger
  readonly clock: Clock
}

const FIRST_BACKOFF_MS = 250
const LONGEST_BACKOFF_MS = 30_000

/**
 * The skeleton of every loop of the server. A run that rejects is logged and retried after a wait that doubles up to 30 s or `longestBackoffMs`; the first
 * success after failures is logged too. Wakes do not shorten that wait: otherwise a broken database would be queried as fast as jobs arrive. The timer
 * does not keep the process alive.
 */
export const createLoop = (options: LoopOptions): Loop => {
  const { clock, intervalMs } = options
  const stopping = new AbortController()
  let started = false
  let current: Promise<void> | null = null
  let woken = false
  let faults = 0
  let notBefore = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined

  const runIn = (delayMs: number): void => {
    clearTimeout(timer)
    if (stopping.signal.aborted) return
    const delay = Math.min(Math.max(delayMs, notBefore - clock.monotonic()), LONGEST_TIMER_MS)
    if (delay > 0) timer = setTimeout(runIn, delay, 0).unref()
    else run()
  }

  const run = (): void => {
    clearTimeout(timer)
    current = turn().then(next => {
      current = null
      runIn(woken ? 0 : next)
    })
  }

  /** One run. Resolves with the wait until the next. Starts in a microtask, so that a burst of wakes causes one run. */
  const turn = async (): Promise<number> => {
    await null
    if (stopping.signal.aborted) return intervalMs
    woken = false
    try {
      const wanted = await options.runOnce(stopping.signal)
      if (faults > 0) options.logger.info({ loop: options.name, faults }, `${options.name} works again`)
      faults = 0
      return Math.min(wanted ?? intervalMs, intervalMs)
    } catch (error) {
      if (!stopping.signal.aborted) fault(error)
      return intervalMs
    }
  }

  const fault = (error: unknown): void => {
    const wait = Math.min(FIRST_BACKOFF_MS * 2 ** faults, options.longestBackoffMs ?? LONGEST_BACKOFF_MS)
    faults += 1
    notBefore = clock.monotonic() + wait
    woken = true
    options.logger.error({ err: error, loop: options.name, faults }, `${options.name} failed; again in ${wait} ms`)
  }

  return {
    start: () => {
      if (started) return
      started = true
      runIn(0)
    },
    stop: async () => {
      stopping.abort()
      clearTimeout(timer)
      await current
    },
    wake: () => {
      woken = true
      if (started && current === null) runIn(0)
    },
  }
}
