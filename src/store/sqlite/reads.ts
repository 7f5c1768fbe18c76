import { getArtifact, listArtifacts } from './artifacts.ts'
import { filterKnownBlobs, listDoomedBlobs } from './blobs.ts'
import { listCancelling } from './leases.ts'
import { countJobs, findJobs, listJobs } from './list-jobs.ts'
import { listLogParts } from './log-parts.ts'
import { findRunningAttempt, getJob, getSubmission, listAttempts } from './read-job.ts'
import { getSetting } from './settings.ts'
import { findToken, listTokens } from './tokens.ts'
import { listWorkers, queueStatistics } from './workers.ts'
import { listWorkspaces } from './workspaces.ts'

/** All that the reader thread does, by name. */
export const READS = {
  countJobs,
  filterKnownBlobs,
  findJobs,
  findRunningAttempt,
  findToken,
  getArtifact,
  getJob,
  getSetting,
  getSubmission,
  listArtifacts,
  listAttempts,
  listCancelling,
  listDoomedBlobs,
  listJobs,
  listLogParts,
  listTokens,
  listWorkers,
  listWorkspaces,
  queueStatistics,
}
