import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'

/** Something that is done again and again: by the clock, and at once when there is news. */
export interface Loop {
  /** Runs at once, then every `intervalMs`. Idempotent. */
  start(): void
  /** Resolves when the run under way has ended; no run begins after the call. Idempotent; a stopped loop stays stopped. */
  stop(): Promise<void>
  /** Runs now; while a run is under way, once more after it. Calls before `start` are covered by its first run. */
  wake(): void
}

export type LoopOptions = {
  /** What the log calls it. */
  readonly name: string
  /** From the end of one run to the start of the next, ms. */
  readonly intervalMs: number
  /**
   * One run. Never overlaps itself. May resolve with the ms until it wants to run again, when that is sooner than
   * `intervalMs` (0: there is more to do); null leaves it at that. `signal` aborts at `stop`: a long run should heed it.
   */
  readonly runOnce: (signal: AbortSignal) => Promise<number | null>
  /** The longest wait after failures in a row, ms; 30 s by default. */
  readonly longestBackoffMs?: number
  readonly logger: Logger
  readonly clock: Clock
}

const FIRST_BACKOFF_MS = 250
const LONGEST_BACKOFF_MS = 30_000
const LONGEST_TIMER_MS = 2 ** 31 - 1

/**
 * The skeleton of every loop of the server. A run that rejects is logged, as is the first that works again, and tried again after a wait that doubles up to
 * 30 s (or less); wakes do not shorten that wait, else a broken database would be asked as fast as jobs come in.
 * Its timer does not keep the process alive.
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

  /** One run and what comes of it: the wait until the next. Starts in a microtask, so that a burst of wakes is one run. */
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
