import { readAnalytics } from './analytics/sums.ts'
import { filterKnownBlobs, listDoomedBlobs } from './blobs.ts'
import { readCatalogue } from './data/catalogue.ts'
import { listChangedJobs } from './data/changed-jobs.ts'
import { getPublication, listPublications } from './data/publications.ts'
import { getArtifact, listArtifacts } from './jobs/artifacts.ts'
import { listCancelling } from './jobs/leases.ts'
import { countJobs, findJobs, listJobs } from './jobs/list-jobs.ts'
import { listLogParts } from './jobs/log-parts.ts'
import { findRunningAttempt, getJob, getSubmission, listAttempts } from './jobs/read-job.ts'
import { getResult } from './jobs/results.ts'
import { findTimeoutRestart } from './runs/extensions.ts'
import { countRuns, getRun, listFailedItems, listRuns } from './runs/read-runs.ts'
import { getSetting } from './settings.ts'
import { countNotifications, getNotificationPreference, listNotifications } from './sinks/notifications.ts'
import { countDeliveries, getDelivery, listDeliveries } from './sinks/read-deliveries.ts'
import { findToken, listTokens } from './tokens.ts'
import { listWorkers, queueStatistics } from './workers.ts'
import { listDueWorkflows } from './workflows/fire.ts'
import { countSlots, listSlots } from './workflows/slots.ts'
import { countWorkflows, getWorkflow, listWorkflows, loadWorkflow } from './workflows/workflows.ts'
import { listWorkspaces } from './workspaces.ts'

/** All operations of the reader thread, by name. */
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
