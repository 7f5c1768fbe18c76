import { addArtifact } from './artifacts.ts'
import { forgetDoomedBlobs } from './blobs.ts'
import { cancelFound, cancelJob } from './cancel.ts'
import { claimJobs } from './claim.ts'
import { endAttempts } from './end-attempts.ts'
import { beginIdempotent, finishIdempotent, purgeIdempotency } from './idempotency.ts'
import { listLostAttempts, renewLeases } from './leases.ts'
import { addLogParts, purgeLogs } from './log-parts.ts'
import { setProgress } from './progress.ts'
import { promoteDueJobs } from './promote.ts'
import { purgeEndedJobs, purgeJob } from './purge.ts'
import { ping, setSetting } from './settings.ts'
import { submitJobs } from './submit.ts'
import { createToken, deleteToken } from './tokens.ts'
import { beatWorker, purgeWorkers } from './workers.ts'
import { createWorkspace } from './workspaces.ts'

/** All that the writer thread does, by name. */
export const WRITES = {
  addArtifact,
  addLogParts,
  beatWorker,
  beginIdempotent,
  cancelFound,
  cancelJob,
  claimJobs,
  createToken,
  createWorkspace,
  deleteToken,
  endAttempts,
  finishIdempotent,
  forgetDoomedBlobs,
  listLostAttempts,
  ping,
  promoteDueJobs,
  purgeEndedJobs,
  purgeIdempotency,
  purgeJob,
  purgeLogs,
  purgeWorkers,
  renewLeases,
  setProgress,
  setSetting,
  submitJobs,
}
