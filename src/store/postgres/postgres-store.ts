import { type Clock, systemClock } from '../../kernel/clock.ts'
import type { DataStore } from '../data-store.ts'
import type { Store } from '../store.ts'
import { purgeSums, readAnalytics } from './analytics/read-analytics.ts'
import { summarize } from './analytics/summarize.ts'
import { filterKnownBlobs, forgetDoomedBlobs, listDoomedBlobs, replaceBlob } from './blobs.ts'
import { countJobs } from './count.ts'
import { changeCatalogue, readCatalogue } from './data/catalogue.ts'
import { listChangedJobs } from './data/changed-jobs.ts'
import {
  commitPublication,
  getPublication,
  listPublications,
  purgePublications,
  revokePublication,
} from './data/publications.ts'
import { lockTables, unlockTables } from './data/table-locks.ts'
import { connectDatabase } from './database.ts'
import { beginIdempotent, finishIdempotent, purgeIdempotency, renewIdempotent } from './idempotency.ts'
import { addArtifact, getArtifact, listArtifacts } from './jobs/artifacts.ts'
import { cancelJob, cancelMatching } from './jobs/cancel.ts'
import { claimer } from './jobs/claim.ts'
import { ClaimedItems } from './jobs/claimed-items.ts'
import { ender } from './jobs/end.ts'
import { listCancelling, listLostAttempts, renewLeases } from './jobs/leases.ts'
import { listJobs } from './jobs/list.ts'
import { addLogParts, listLogParts } from './jobs/logs.ts'
import { setProgress } from './jobs/progress.ts'
import { promoteDueJobs } from './jobs/promote.ts'
import { purgeEndedJobs, purgeJob, purgeLogs } from './jobs/purge.ts'
import { QueueCounts } from './jobs/queue-counts.ts'
import { QueueingCalls } from './jobs/queueing-calls.ts'
import { listAttempts, readJob, readSubmission } from './jobs/read-job.ts'
import { RecentJobs } from './jobs/recent-jobs.ts'
import { getResult, purgeResults } from './jobs/results.ts'
import { submitter } from './jobs/submit.ts'
import { Listener } from './listener.ts'
import { migrate } from './migrate.ts'
import { pauseRun, resumeRun, startDueRuns, terminateRun } from './runs/change-run.ts'
import { extendRun, findTimeoutRestart, restartTimeout } from './runs/extend-run.ts'
import { purgeRuns } from './runs/purge-runs.ts'
import { countRuns, getRun, listFailedItems, listRuns } from './runs/read-runs.ts'
import { ScopeSets } from './scope-sets.ts'
import type { Session } from './session.ts'
import { getSetting, ping, readClock, replaceSetting, setSetting } from './settings.ts'
import { claimDeliveries } from './sinks/claim-deliveries.ts'
import { countDeliveries, getDelivery, listDeliveries, purgeDeliveries, redeliver } from './sinks/deliveries.ts'
import { endDeliveries } from './sinks/end-deliveries.ts'
import {
  countNotifications,
  getNotificationPreference,
  listNotifications,
  markNotificationsRead,
  purgeNotifications,
  setNotificationPreference,
} from './sinks/notifications.ts'
import { beatWorker, findRunningAttempt, listWorkers, purgeWorkers, queueStatistics } from './workers.ts'
import { pauseWorkflow, resumeWorkflow, terminateWorkflow } from './workflows/change-state.ts'
import { listDueWorkflows } from './workflows/due-workflows.ts'
import { fireWorkflows } from './workflows/fire.ts'
import { countWorkflows, getWorkflow, listWorkflows, loadWorkflow } from './workflows/read-workflows.ts'
import { countSlots, listSlots } from './workflows/slots.ts'
import { triggerWorkflow } from './workflows/trigger.ts'
import { createWorkflow, deleteWorkflow, replaceWorkflow } from './workflows/write-workflow.ts'
import { createToken, createWorkspace, deleteToken, findToken, listTokens, listWorkspaces } from './workspaces.ts'

export type PostgresStoreOptions = {
  /** `postgres://user:password@host:port/database`; the tables are in its schema `millrace`. */
  readonly url: string
  /** Identifies this process in messages to others. */
  readonly processName: string
  /** Replaces the database's clock. */
  readonly clock?: Clock
}

/** The store for many machines. Migrates the database first; rejects if it cannot be reached (`unavailable`) or is newer than this program. */
export const openPostgresStore = async ({ url, processName, clock }: PostgresStoreOptions): Promise<Store> => {
  await migrate(url)
  const database = connectDatabase(url)
  const listener = new Listener({ url, processName })
  await listener.start()
  const session: Session = {
    database,
    signals: listener.signals,
    queueCounts: new QueueCounts(database.reader, systemClock.monotonic),
    recentJobs: new RecentJobs(),
    claimedItems: new ClaimedItems(),
    scopeSets: new ScopeSets(database),
    queueing: new QueueingCalls(),
    now: clock ? () => clock.now() : () => null,
  }
  let closed: Promise<void> | undefined
  const close = async () => {
    await listener.stop()
    await database.close()
  }
  return {
    ...jobOperations(session),
    ...otherOperations(session),
    ...workflowOperations(session),
    ...runOperations(session),
    ...sinkOperations(session),
    ...analyticsOperations(session),
    ...dataOperations(session),
    onSignal: listen => session.signals.on(listen),
    close: () => (closed ??= close()),
  }
}

const jobOperations = (session: Session) =>
  ({
    submitJobs: submitter(session),
    claimJobs: claimer(session),
    endAttempts: ender(session),
    renewLeases: input => renewLeases(session, input),
    listCancelling: input => listCancelling(session, input),
    listLostAttempts: input => listLostAttempts(session, input),
    promoteDueJobs: input => promoteDueJobs(session, input),
    now: () => readClock(session),
    cancelJob: input => cancelJob(session, input),
    cancelMatching: input => cancelMatching(session, input),
    getJob: input => readJob(session.database, input),
    getSubmission: input => readSubmission(session.database, input),
    listJobs: input => listJobs(session.database.lister, input),
    countJobs: input => countJobs(session.database.reader, input),
    listAttempts: input => listAttempts(session.database, input),
    setProgress: input => setProgress(session, input),
    getResult: input => getResult(session, input),
    purgeResults: input => purgeResults(session, input),
    purgeJob: input => purgeJob(session, input),
    purgeEndedJobs: input => purgeEndedJobs(session, input),
    findRunningAttempt: input => findRunningAttempt(session, input),
    queueStatistics: () => queueStatistics(session),
  }) satisfies Partial<Store>

const otherOperations = (session: Session) =>
  ({
    addLogParts: input => addLogParts(session, input),
    listLogParts: input => listLogParts(session.database.lister, input),
    purgeLogs: input => purgeLogs(session, input),
    addArtifact: input => addArtifact(session, input),
    replaceBlob: input => replaceBlob(session.database, input),
    listArtifacts: input => listArtifacts(session.database, input),
    getArtifact: input => getArtifact(session.database, input),
    listDoomedBlobs: input => listDoomedBlobs(session.database, input),
    forgetDoomedBlobs: input => forgetDoomedBlobs(session.database, input),
    filterKnownBlobs: input => filterKnownBlobs(session.database, input),
    beginIdempotent: input => beginIdempotent(session, input),
    renewIdempotent: input => renewIdempotent(session, input),
    finishIdempotent: input => finishIdempotent(session, input),
    purgeIdempotency: input => purgeIdempotency(session, input),
    createWorkspace: input => createWorkspace(session, input),
    listWorkspaces: () => listWorkspaces(session),
    createToken: input => createToken(session, input),
    findToken: input => findToken(session, input),
    listTokens: input => listTokens(session, input),
    deleteToken: input => deleteToken(session, input),
    beatWorker: input => beatWorker(session, input),
    listWorkers: () => listWorkers(session),
    purgeWorkers: input => purgeWorkers(session, input),
    getSetting: input => getSetting(session, input),
    setSetting: input => setSetting(session, input),
    replaceSetting: input => replaceSetting(session, input),
    ping: () => ping(session),
  }) satisfies Partial<Store>

const workflowOperations = (session: Session) =>
  ({
    createWorkflow: input => createWorkflow(session, input),
    getWorkflow: input => getWorkflow(session.database, input),
    loadWorkflow: input => loadWorkflow(session.database, input),
    listWorkflows: input => listWorkflows(session.database.lister, input),
    countWorkflows: input => countWorkflows(session.database.reader, input),
    replaceWorkflow: input => replaceWorkflow(session, input),
    deleteWorkflow: input => deleteWorkflow(session, input),
    pauseWorkflow: input => pauseWorkflow(session, input),
    resumeWorkflow: input => resumeWorkflow(session, input),
    terminateWorkflow: input => terminateWorkflow(session, input),
    listDueWorkflows: input => listDueWorkflows(session, input),
    fireWorkflows: fires => fireWorkflows(session, fires),
    triggerWorkflow: input => triggerWorkflow(session, input),
    listSlots: input => listSlots(session.database.lister, input),
    countSlots: input => countSlots(session.database.reader, input),
  }) satisfies Partial<Store>

const runOperations = (session: Session) =>
  ({
    startDueRuns: input => startDueRuns(session, input),
    getRun: input => getRun(session.database, input),
    listRuns: input => listRuns(session.database.lister, input),
    countRuns: input => countRuns(session.database.reader, input),
    pauseRun: input => pauseRun(session, input),
    resumeRun: input => resumeRun(session, input),
    terminateRun: input => terminateRun(session, input),
    listFailedItems: input => listFailedItems(session.database.lister, input),
    purgeRuns: input => purgeRuns(session, input),
    extendRun: input => extendRun(session, input),
    restartTimeout: input => restartTimeout(session, input),
    findTimeoutRestart: input => findTimeoutRestart(session, input),
  }) satisfies Partial<Store>

const sinkOperations = (session: Session) =>
  ({
    claimDeliveries: input => claimDeliveries(session, input),
    endDeliveries: ends => endDeliveries(session, ends),
    getDelivery: input => getDelivery(session.database, input),
    listDeliveries: input => listDeliveries(session.database.lister, input),
    countDeliveries: input => countDeliveries(session.database.reader, input),
    redeliver: input => redeliver(session, input),
    purgeDeliveries: input => purgeDeliveries(session, input),
    listNotifications: input => listNotifications(session.database.lister, input),
    countNotifications: input => countNotifications(session.database.reader, input),
    markNotificationsRead: input => markNotificationsRead(session, input),
    getNotificationPreference: input => getNotificationPreference(session.database, input),
    setNotificationPreference: input => setNotificationPreference(session, input),
    purgeNotifications: input => purgeNotifications(session, input),
  }) satisfies Partial<Store>

const dataOperations = (session: Session) =>
  ({
    readCatalogue: input => readCatalogue(session.database, input),
    changeCatalogue: input => changeCatalogue(session, input),
    lockTables: input => lockTables(session, input),
    unlockTables: input => unlockTables(session, input),
    commitPublication: input => commitPublication(session, input),
    revokePublication: input => revokePublication(session, input),
    getPublication: input => getPublication(session.database, input),
    listPublications: input => listPublications(session.database, input),
    purgePublications: input => purgePublications(session, input),
    listChangedJobs: input => listChangedJobs(session.database.lister, input),
  }) satisfies DataStore

const analyticsOperations = (session: Session) =>
  ({
    summarize: input => summarize(session, input),
    readAnalytics: input => readAnalytics(session.database.reader, input),
    purgeSums: input => purgeSums(session, input),
  }) satisfies Partial<Store>
