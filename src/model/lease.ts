import type { ClaimedJob, Lease } from './job.ts'

/** A lease ends this long after its last renewal, by the store's clock. */
export const LEASE_MS = 15_000

/**
 * A worker that has not renewed its leases for this long, counted from when the renewal was sent, ends its attempts and what runs for them: before
 * anyone else may take the jobs.
 */
export const GIVE_UP_MS = 12_000

/** By which the store knows that a job is still its worker's. */
export const leaseOf = ({ id, attempt, leaseToken }: Pick<ClaimedJob, 'id' | 'attempt' | 'leaseToken'>): Lease => ({
  jobId: id,
  attempt,
  leaseToken,
})
