import { addArtifact } from './artifacts.ts'
import { forgetDoomedBlobs, replaceBlob } from './blobs.ts'
import { cancelFound, cancelJob } from './cancel.ts'
import { changeCatalogue } from './catalogue.ts'
import { claimJobs } from './claim.ts'
import { claimDeliveries, endDeliveries, purgeDeliveries, redeliver } from './deliveries.ts'
import { endAttempts } from './end-attempts.ts'
import { extendRun, restartTimeout } from './extensions.ts'
import { fireWorkflows } from './fire.ts'
import { beginIdempotent, finishIdempotent, purgeIdempotency } from './idempotency.ts'
import { listLostAttempts, renewLeases } from './leases.ts'
import { addLogParts, purgeLogs } from './log-parts.ts'
import { markNotificationsRead, purgeNotifications, setNotificationPreference } from './notifications.ts'
import { setProgress } from './progress.ts'
import { promoteDueJobs } from './promote.ts'
import { commitPublication, purgePublications, revokePublication } from './publications.ts'
import { purgeEndedJobs, purgeJob } from './purge.ts'
import { purgeRuns } from './purge-runs.ts'
import { purgeResults } from './results.ts'
import { pauseRun, resumeRun, terminateRun } from './run-calls.ts'
import { ping, replaceSetting, setSetting } from './settings.ts'
import { startDueRuns } from './start-due-runs.ts'
import { submitJobs } from './submit.ts'
import { purgeSums, summarize } from './sums.ts'
import { lockTables, unlockTables } from './table-locks.ts'
import { createToken, deleteToken } from './tokens.ts'
import { triggerWorkflow } from './trigger.ts'
import { beatWorker, purgeWorkers } from './workers.ts'
import { pauseWorkflow, resumeWorkflow, terminateWorkflow } from './workflow-calls.ts'
import { createWorkflow, deleteWorkflow, replaceWorkflow } from './workflows.ts'
import { createWorkspace } from './workspaces.ts'

/** All that the writer thread does, by name. */
export const WRITES = {
  addArtifact,
  addLogParts,
  beatWorker,
  beginIdempotent,
  cancelFound,
  cancelJob,
  changeCatalogue,
  claimDeliveries,
  claimJobs,
  commitPublication,
  createToken,
  createWorkflow,
  createWorkspace,
  deleteToken,
  deleteWorkflow,
  endAttempts,
  endDeliveries,
  extendRun,
  finishIdempotent,
  fireWorkflows,
  forgetDoomedBlobs,
  listLostAttempts,
  lockTables,
  markNotificationsRead,
  pauseRun,
  pauseWorkflow,
  ping,
  promoteDueJobs,
  purgeDeliveries,
  purgeEndedJobs,
  purgeIdempotency,
  purgeJob,
  purgeLogs,
  purgeNotifications,
  purgePublications,
  purgeResults,
  purgeRuns,
  purgeSums,
  purgeWorkers,
  redeliver,
  renewLeases,
  replaceBlob,
  replaceSetting,
  replaceWorkflow,
  restartTimeout,
  resumeRun,
  resumeWorkflow,
  revokePublication,
  setNotificationPreference,
  setProgress,
  setSetting,
  startDueRuns,
  submitJobs,
  summarize,
  terminateRun,
  terminateWorkflow,
  triggerWorkflow,
  unlockTables,
}
