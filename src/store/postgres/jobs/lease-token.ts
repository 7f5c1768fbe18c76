import { randomUUID } from 'node:crypto'
import { isId } from '../../../kernel/ids.ts'
import type { Lease } from '../../../model/job.ts'

/**
 * A claim draws one random token for all jobs it takes; each job's lease token combines it with the job's id. In the database a lease is (job,
 * attempt, claim token): one column less to fill per job, and a token is valid for its job only.
 */
export const newClaimToken = (): string => randomUUID()

export const toLeaseToken = (claimToken: string, jobId: string): string => `${claimToken}.${jobId}`

/** Matches no row. */
const NO_CLAIM = '00000000-0000-0000-0000-000000000000'
const LENGTH = 2 * NO_CLAIM.length + 1

/** The claim token of a lease. An invalid token, or one of another job, gives a token that matches no row. */
export const toClaimToken = ({ jobId, leaseToken }: Lease): string => {
  if (leaseToken.length !== LENGTH || !leaseToken.endsWith(jobId)) return NO_CLAIM
  const claimToken = leaseToken.slice(0, NO_CLAIM.length)
  return isId(claimToken) ? claimToken : NO_CLAIM
}
