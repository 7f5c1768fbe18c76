import type { ClaimedJob, Lease } from '../model/job.ts'
import type { CancelOrder } from '../store/store.ts'
import type { StopSwitch } from './stop-signal.ts'

/** Time between SIGTERM and SIGKILL if neither the job nor the caller sets one. */
export const DEFAULT_GRACE_MS = 10_000

export type RunningJob = { readonly job: ClaimedJob; readonly stop: StopSwitch }

/** The attempts running in this process. */
export interface RunningJobs {
  readonly size: number
  add(running: RunningJob): void
  remove(running: RunningJob): void
  leases(): readonly Lease[]
  /** Tells attempts to stop because their jobs are `cancelling`. */
  cancel(orders: readonly CancelOrder[]): void
  /** Tells attempts to stop at once because their leases are lost. Newer attempts of the same jobs have other leases and continue. */
  loseLeases(leases: readonly Lease[]): void
  /** Tells all attempts to stop because the process shuts down. */
  shutDown(graceMs: number): void
  /** Resolves when no attempt is left. */
  idle(): Promise<void>
}

export const createRunningJobs = (): RunningJobs => {
  const all = new Set<RunningJob>()
  /** The newest attempt of each job: the only one whose lease may still hold. */
  const byId = new Map<string, RunningJob>()
  let waiting: (() => void)[] = []

  return {
    get size() {
      return all.size
    },
    add: running => {
      // A newer attempt here proves that the older one's lease is lost, before any renewal reports it.
      byId.get(running.job.id)?.stop.stop('lease_lost', 0)
      byId.set(running.job.id, running)
      all.add(running)
    },
    remove: running => {
      if (byId.get(running.job.id) === running) byId.delete(running.job.id)
      all.delete(running)
      if (all.size > 0) return
      for (const resolve of waiting) resolve()
      waiting = []
    },
    leases: () =>
      [...byId.values()].map(({ job }) => ({ jobId: job.id, attempt: job.attempt, leaseToken: job.leaseToken })),
    cancel: orders => {
      for (const order of orders) {
        const running = byId.get(order.jobId)
        if (running?.job.attempt !== order.attempt) continue
        running.stop.stop(order.reason, order.graceMs ?? running.job.graceMs ?? DEFAULT_GRACE_MS)
      }
    },
    loseLeases: leases => {
      for (const { jobId, attempt } of leases) {
        const running = byId.get(jobId)
        if (running?.job.attempt === attempt) running.stop.stop('lease_lost', 0)
      }
    },
    shutDown: graceMs => {
      for (const { stop } of all) stop.stop('shutdown', graceMs)
    },
    idle: () => (all.size === 0 ? Promise.resolve() : new Promise(resolve => waiting.push(resolve))),
  }
}
