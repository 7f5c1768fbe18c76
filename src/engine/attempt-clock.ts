import type { Logger } from '../kernel/logger.ts'
import type { ClaimedJob } from '../model/job.ts'
import type { Store } from '../store/store.ts'
import { DEFAULT_GRACE_MS } from './running-jobs.ts'
import type { StopSwitch } from './stop-signal.ts'

/** The longest delay a timer of Node takes; longer timeouts are waited out in steps. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

type Options = {
  readonly job: ClaimedJob
  readonly stop: StopSwitch
  readonly store: Pick<Store, 'findTimeoutRestart'>
  readonly logger: Logger
}

/** Ends an attempt that has run for its timeout, unless its clock was restarted: here, or through any server's API. */
export interface AttemptClock {
  start(): void
  /** The attempt has its whole timeout again, from now. */
  restart(): void
  stop(): void
}

export const createAttemptClock = ({ job, stop, store, logger }: Options): AttemptClock => {
  const { timeoutMs } = job
  let timer: NodeJS.Timeout | undefined
  let isRunning = false

  const wait = (left: number): void => {
    clearTimeout(timer)
    const step = Math.min(left, LONGEST_TIMER_MS)
    timer = setTimeout(() => (left > step ? wait(left - step) : void end()), step)
  }

  const end = async (): Promise<void> => {
    const armed = timer
    const left = timeoutMs! - (await restartedAgo())
    if (!isRunning || timer !== armed) return // ended, or restarted while the store was asked
    if (left > 0) wait(left)
    else stop.stop('timeout', job.graceMs ?? DEFAULT_GRACE_MS)
  }

  /** A store that cannot say counts as never: an attempt must not run for ever because of it. */
  const restartedAgo = async (): Promise<number> => {
    try {
      return (await store.findTimeoutRestart({ jobId: job.id, attempt: job.attempt })) ?? Number.POSITIVE_INFINITY
    } catch (error) {
      logger.warn({ err: error, job_id: job.id }, 'whether the clock of an attempt was restarted is not known')
      return Number.POSITIVE_INFINITY
    }
  }

  return {
    start: () => {
      isRunning = true
      if (timeoutMs !== null) wait(timeoutMs)
    },
    restart: () => {
      if (isRunning && timeoutMs !== null && stop.cause === null) wait(timeoutMs)
    },
    stop: () => {
      isRunning = false
      clearTimeout(timer)
    },
  }
}
