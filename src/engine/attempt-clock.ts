import type { Logger } from '../kernel/logger.ts'
import { LONGEST_TIMER_MS } from '../kernel/longest-timer.ts'
import type { ClaimedJob } from '../model/job.ts'
import type { Store } from '../store/store.ts'
import { DEFAULT_GRACE_MS } from './running-jobs.ts'
import type { StopSwitch } from './stop-signal.ts'

type Options = {
  readonly job: ClaimedJob
  readonly stop: StopSwitch
  readonly store: Pick<Store, 'findTimeoutRestart'>
  readonly logger: Logger
}

/** Ends an attempt that reaches its timeout, unless its clock was restarted, either here or through the API of any server. */
export interface AttemptClock {
  start(): void
  /** Gives the attempt its whole timeout again, from now. */
  restart(): void
  stop(): void
}

export const createAttemptClock = ({ job, stop, store, logger }: Options): AttemptClock => {
  const { timeoutMs } = job
  let timer: NodeJS.Timeout | undefined
  let isRunning = false

  /** In steps if it is longer than a timer. */
  const wait = (left: number): void => {
    clearTimeout(timer)
    const step = Math.min(left, LONGEST_TIMER_MS)
    timer = setTimeout(() => (left > step ? wait(left - step) : void end()), step)
  }

  const end = async (): Promise<void> => {
    const armed = timer
    const left = timeoutMs! - (await restartedAgo())
    if (!isRunning || timer !== armed) return // ended, or restarted during the store query
    if (left > 0) wait(left)
    else stop.stop('timeout', job.graceMs ?? DEFAULT_GRACE_MS)
  }

  /** If the store cannot say, assume no restart: a store failure must not let an attempt run forever. */
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
