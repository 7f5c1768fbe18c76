import type { Executor } from '../executors/executor.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { ClaimedJob } from '../model/job.ts'
import type { Store } from '../store/store.ts'
import { createLoop, type Loop } from './loop.ts'
import { createSlots, type Slot, type Slots } from './slots.ts'

type Lane = { readonly executors: readonly Executor[]; readonly slots: Slots }

type Dependencies = {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  readonly workerId: string
  readonly leaseMs: number
  readonly pollMs: number
  readonly executors: readonly Executor[]
  /** Number of slots per lane. */
  readonly slots: Readonly<Record<Executor['lane'], number>>
  /**
   * Runs one job. Releases the slot when the job has no more work to do, at the latest on resolving. `leaseSentAt` is when the claim was sent (monotonic ms).
   */
  readonly execute: (job: ClaimedJob, leaseSentAt: number, slot: Slot) => Promise<void>
  /** Called after each claim: orders for these jobs that arrived before the jobs were known here may have been missed. */
  readonly afterClaim: () => void
  /** Throws while this server cannot decrypt the secrets of jobs, which would fail on it. It claims none then. */
  readonly checkKey: () => Promise<void>
}

/**
 * Claims jobs whenever slots are free and there may be work: on a signal from the store, when a slot is freed, and by polling in case a signal was lost.
 * Each lane has at most one claim in flight, which takes as many jobs as there are free slots.
 */
export const createClaimLoop = (dependencies: Dependencies): Loop => {
  const { store, clock, logger, pollMs } = dependencies

  const claimInto = async ({ executors, slots }: Lane): Promise<void> => {
    const reserved = slots.reserve()
    if (reserved.size === 0) return
    try {
      const kinds = await kindsHere(executors)
      const sentAt = clock.monotonic()
      const { workerId, leaseMs } = dependencies
      const jobs = await store.claimJobs({ workerId, kinds, limit: reserved.size, leaseMs })
      for (const job of jobs) start(job, sentAt, reserved.use())
      if (jobs.length > 0) dependencies.afterClaim()
      if (jobs.length === reserved.size) loop.wake()
    } finally {
      reserved.end()
    }
  }

  const start = (job: ClaimedJob, sentAt: number, slot: Slot): void => {
    dependencies.execute(job, sentAt, slot).finally(slot.release)
  }

  const runOnce = async (): Promise<null> => {
    await dependencies.checkKey()
    await Promise.all(lanes.map(claimInto))
    return null
  }

  const loop = createLoop({ name: 'claim', intervalMs: pollMs, runOnce, logger, clock })
  const lanes = toLanes(dependencies, loop.wake)
  return loop
}

const toLanes = ({ executors, slots }: Dependencies, onFree: () => void): readonly Lane[] =>
  [...new Set(executors.map(executor => executor.lane))].map(lane => ({
    executors: executors.filter(executor => executor.lane === lane),
    slots: createSlots({ size: slots[lane], onFree }),
  }))

const kindsHere = async (executors: readonly Executor[]): Promise<readonly Executor['kind'][]> => {
  const elsewhere = await Promise.all(executors.map(async executor => (await executor.isElsewhere?.()) === true))
  return executors.filter((_, index) => !elsewhere[index]).map(({ kind }) => kind)
}
