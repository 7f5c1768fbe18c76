import { purgeSums, summarize } from './analytics/sums.ts'
import { forgetDoomedBlobs, replaceBlob } from './blobs.ts'
import { changeCatalogue } from './data/catalogue.ts'
import { commitPublication, purgePublications, revokePublication } from './data/publications.ts'
import { lockTables, unlockTables } from './data/table-locks.ts'
import { beginIdempotent, finishIdempotent, purgeIdempotency, renewIdempotent } from './idempotency.ts'
import { addArtifact } from './jobs/artifacts.ts'
import { cancelFound, cancelJob } from './jobs/cancel.ts'
import { claimJobs } from './jobs/claim.ts'
import { endAttempts } from './jobs/end-attempts.ts'
import { listLostAttempts, renewLeases } from './jobs/leases.ts'
import { addLogParts, purgeLogs } from './jobs/log-parts.ts'
import { setProgress } from './jobs/progress.ts'
import { promoteDueJobs } from './jobs/promote.ts'
import { purgeEndedJobs, purgeJob } from './jobs/purge.ts'
import { purgeResults } from './jobs/results.ts'
import { submitJobs } from './jobs/submit.ts'
import { extendRun, restartTimeout } from './runs/extensions.ts'
import { purgeRuns } from './runs/purge-runs.ts'
import { pauseRun, resumeRun, terminateRun } from './runs/run-calls.ts'
import { startDueRuns } from './runs/start-due-runs.ts'
import { ping, replaceSetting, setSetting } from './settings.ts'
import { claimDeliveries, endDeliveries, purgeDeliveries, redeliver } from './sinks/deliveries.ts'
import { markNotificationsRead, purgeNotifications, setNotificationPreference } from './sinks/notifications.ts'
import { createToken, deleteToken } from './tokens.ts'
import { beatWorker, purgeWorkers } from './workers.ts'
import { fireWorkflows } from './workflows/fire.ts'
import { triggerWorkflow } from './workflows/trigger.ts'
import { pauseWorkflow, resumeWorkflow, terminateWorkflow } from './workflows/workflow-calls.ts'
import { createWorkflow, deleteWorkflow, replaceWorkflow } from './workflows/workflows.ts'
import { createWorkspace } from './workspaces.ts'

/** All operations of the writer thread, by name. */
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
  renewIdempotent,
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
