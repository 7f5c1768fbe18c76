import type { Executor } from '../executors/executor.ts'
import type { Clock } from '../kernel/clock.ts'
import { MillraceError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Lease } from '../model/job.ts'
import { GIVE_UP_MS, LEASE_MS } from '../model/lease.ts'
import type { Store, WorkerBeat } from '../store/store.ts'
import { createLoop, type Loop } from './loop.ts'
import type { RunningJobs } from './running-jobs.ts'

const RENEW_EVERY_MS = 4_000
const ANSWER_WITHIN_MS = 4_000

type Dependencies = {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  readonly running: RunningJobs
  readonly executors: readonly Executor[]
  readonly beat: WorkerBeat
}

/**
 * Renews the leases of all running attempts and reports that this worker is alive. The answer lists lost leases and jobs to stop. If renewals fail or go
 * unanswered for too long, all attempts are ended: this process no longer knows whether it still owns them.
 */
export const createRenewLoop = ({ store, clock, logger, running, executors, beat }: Dependencies): Loop => {
  let renewedAt = clock.monotonic()
  let giveUpTimer: NodeJS.Timeout | undefined

  /** Includes jobs claimed since the last renewal: after a process was frozen this long, their leases are just as old. */
  const giveUp = (): void => running.loseLeases(running.leases())

  const watch = (): void => {
    clearTimeout(giveUpTimer)
    giveUpTimer = setTimeout(giveUp, renewedAt + GIVE_UP_MS - clock.monotonic()).unref()
  }

  const succeed = (sentAt: number): void => {
    // Its leases have been given up, or will be by the timer that is due. Restarting the timer would end jobs claimed since.
    if (clock.monotonic() - sentAt > GIVE_UP_MS) return
    renewedAt = Math.max(renewedAt, sentAt)
    watch()
  }

  const renewLeases = async (leases: readonly Lease[], sentAt: number): Promise<void> => {
    const { lost, cancelling } = await store.renewLeases({ leases, leaseMs: LEASE_MS })
    const gone = new Set(lost)
    const kept = leases.filter(lease => !gone.has(lease.jobId))
    for (const executor of executors) executor.leasesRenewed?.(kept, sentAt)
    running.loseLeases(leases.filter(lease => gone.has(lease.jobId)))
    running.cancel(cancelling)
    succeed(sentAt)
  }

  const renew = async (): Promise<null> => {
    const sentAt = clock.monotonic()
    const held = running.leases()
    try {
      if (held.length > 0) await answered(renewLeases(held, sentAt))
      await answered(store.beatWorker(beat))
      if (held.length === 0) succeed(sentAt)
    } catch (error) {
      if (clock.monotonic() - renewedAt > GIVE_UP_MS) running.loseLeases(held)
      throw error
    }
    return null
  }

  const loop = createLoop({
    name: 'renew',
    intervalMs: RENEW_EVERY_MS,
    // Leases claimed as soon as the store is back are no longer than any other, so the renewal must not wait longer.
    longestBackoffMs: RENEW_EVERY_MS,
    runOnce: renew,
    logger,
    clock,
  })
  return {
    ...loop,
    start: () => {
      watch()
      loop.start()
    },
    stop: async () => {
      await loop.stop()
      clearTimeout(giveUpTimer)
    },
  }
}

/** A connection gone silent would block the next renewal, which uses another connection, for longer than a lease. */
const answered = async <T>(asked: Promise<T>): Promise<T> => {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () =>
      late.reject(new MillraceError('unavailable', `The store has not answered within ${ANSWER_WITHIN_MS / 1000} s.`)),
    ANSWER_WITHIN_MS,
  )
  try {
    return await Promise.race([asked, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
