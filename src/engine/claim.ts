import type { Executor } from '../executors/executor.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { ClaimedJob } from '../model/job.ts'
import type { Store } from '../store/store.ts'
import { createLoop, type Loop } from './loop.ts'

type Lane = { readonly kinds: readonly Executor['kind'][]; readonly slots: number; taken: number }

type Dependencies = {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  readonly workerId: string
  readonly leaseMs: number
  readonly pollMs: number
  readonly executors: readonly Executor[]
  /** Slots of each lane. */
  readonly slots: Readonly<Record<Executor['lane'], number>>
  /** Carries out one job; calls `release` when its slot is free, at the latest when it resolves. `leaseSentAt` is when the claim was sent (monotonic ms). */
  readonly execute: (job: ClaimedJob, leaseSentAt: number, release: () => void) => Promise<void>
  /** Called after each claim: orders that came while its jobs were not yet known here may have found nobody. */
  readonly afterClaim: () => void
}

/**
 * Claims jobs whenever slots are free and there may be work: at a signal of the store, when a slot becomes free, and by a
 * poll behind lost signals. One claim of a lane is under way at a time and takes as many jobs as there are free slots.
 */
export const createClaimLoop = (dependencies: Dependencies): Loop => {
  const { store, clock, logger, pollMs } = dependencies
  const lanes = toLanes(dependencies)

  const claimInto = async (lane: Lane): Promise<void> => {
    const limit = lane.slots - lane.taken
    if (limit <= 0) return
    const sentAt = clock.monotonic()
    const { workerId, leaseMs } = dependencies
    const jobs = await store.claimJobs({ workerId, kinds: lane.kinds, limit, leaseMs })
    for (const job of jobs) start(lane, job, sentAt)
    if (jobs.length > 0) dependencies.afterClaim()
    if (jobs.length === limit) loop.wake()
  }

  const start = (lane: Lane, job: ClaimedJob, sentAt: number): void => {
    lane.taken += 1
    let isHeld = true
    const release = (): void => {
      if (!isHeld) return
      isHeld = false
      lane.taken -= 1
      loop.wake()
    }
    dependencies.execute(job, sentAt, release).finally(release)
  }

  const runOnce = async (): Promise<null> => {
    await Promise.all(lanes.map(claimInto))
    return null
  }

  const loop = createLoop({ name: 'claim', intervalMs: pollMs, runOnce, logger, clock })
  return loop
}

const toLanes = ({ executors, slots }: Dependencies): readonly Lane[] =>
  [...new Set(executors.map(executor => executor.lane))].map(lane => ({
    kinds: executors.filter(executor => executor.lane === lane).map(executor => executor.kind),
    slots: slots[lane],
    taken: 0,
  }))
