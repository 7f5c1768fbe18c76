import { getArtifact, listArtifacts } from './artifacts.ts'
import { filterKnownBlobs, listDoomedBlobs } from './blobs.ts'
import { readCatalogue } from './catalogue.ts'
import { listChangedJobs } from './changed-jobs.ts'
import { findTimeoutRestart } from './extensions.ts'
import { listDueWorkflows } from './fire.ts'
import { listCancelling } from './leases.ts'
import { countJobs, findJobs, listJobs } from './list-jobs.ts'
import { listLogParts } from './log-parts.ts'
import { countNotifications, getNotificationPreference, listNotifications } from './notifications.ts'
import { getPublication, listPublications } from './publications.ts'
import { countDeliveries, getDelivery, listDeliveries } from './read-deliveries.ts'
import { findRunningAttempt, getJob, getSubmission, listAttempts } from './read-job.ts'
import { countRuns, getRun, listFailedItems, listRuns } from './read-runs.ts'
import { getResult } from './results.ts'
import { getSetting } from './settings.ts'
import { countSlots, listSlots } from './slots.ts'
import { readAnalytics } from './sums.ts'
import { findToken, listTokens } from './tokens.ts'
import { listWorkers, queueStatistics } from './workers.ts'
import { countWorkflows, getWorkflow, listWorkflows, loadWorkflow } from './workflows.ts'
import { listWorkspaces } from './workspaces.ts'

/** All that the reader thread does, by name. */
export const READS = {
  countDeliveries,
  countJobs,
  countNotifications,
  countRuns,
  countSlots,
  countWorkflows,
  filterKnownBlobs,
  findJobs,
  findRunningAttempt,
  findTimeoutRestart,
  findToken,
  getArtifact,
  getDelivery,
  getJob,
  getNotificationPreference,
  getPublication,
  getResult,
  getRun,
  getSetting,
  getSubmission,
  getWorkflow,
  listArtifacts,
  listAttempts,
  listCancelling,
  listChangedJobs,
  listDeliveries,
  listDoomedBlobs,
  listDueWorkflows,
  listFailedItems,
  listJobs,
  listLogParts,
  listNotifications,
  listPublications,
  listRuns,
  listSlots,
  listTokens,
  listWorkers,
  listWorkflows,
  listWorkspaces,
  loadWorkflow,
  queueStatistics,
  readAnalytics,
  readCatalogue,
}
