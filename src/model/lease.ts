import type { ClaimedJob, Lease } from './job.ts'

/** A lease expires this long after its last renewal, by the store's clock. */
export const LEASE_MS = 15_000

/**
 * A worker that has not renewed its leases for this long, counted from when the last renewal was sent, stops its attempts and their processes. That is before
 * anyone else may take the jobs.
 */
export const GIVE_UP_MS = 12_000

/** Proves to the store that a job still belongs to its worker. */
export const leaseOf = ({ id, attempt, leaseToken }: Pick<ClaimedJob, 'id' | 'attempt' | 'leaseToken'>): Lease => ({
  jobId: id,
  attempt,
  leaseToken,
})
