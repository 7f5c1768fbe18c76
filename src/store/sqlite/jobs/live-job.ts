import type { Lease } from '../../../model/job.ts'
import type { LiveStatus } from '../../../model/job-status.ts'
import type { Database } from '../database.ts'
import type { EventSubject } from '../writer.ts'

/** A row of `live` with the fields that events report. */
export type LiveJob = EventSubject & {
  readonly seq: number
  readonly status: LiveStatus
  readonly statusReason: string | null
  readonly exclusiveKey: string | null
  readonly queuedAt: number | null
  readonly startedAt: number | null
  readonly attempt: number
  readonly userFailures: number
  readonly systemFailures: number
  readonly nextLogSeq: number
  readonly workerId: string | null
  readonly exitCode: number | null
  readonly signal: string | null
  readonly errorMessage: string | null
  readonly progress: string | null
  /** Position of the run that the job is an item of. */
  readonly run: number | null
  /** JSON list of rules; null: no sinks. */
  readonly sinks: string | null
  /** Whether it has committed a publication. */
  readonly published: boolean
}

export type EventRow = [
  id: string,
  workspace: string,
  kind: string,
  runId: string | null,
  workflowId: string | null,
  parentJobId: string | null,
]

export const EVENT_SQL = 'job.id, job.workspace, job.kind, job.run_id, job.workflow_id, job.parent_job_id'

export const subjectOf = ([id, workspace, kind, runId, workflowId, parentJobId]: EventRow): EventSubject => ({
  id,
  workspace,
  kind,
  runId,
  workflowId,
  parentJobId,
})

const LIVE_SQL = `SELECT ${EVENT_SQL}, live.seq, live.status, live.status_reason, live.exclusive_key, live.queued_at,
  live.started_at, live.attempt, live.user_failures, live.system_failures, live.next_log_seq, live.worker_id,
  live.exit_code, live.signal, live.error_message, live.progress, live.run, job.sinks,
  live.published
  FROM live CROSS JOIN job ON job.seq = live.seq`

/** `+` keeps the planner off the id index: the job is found by its position, and its id is only compared. */
const HELD_SQL = `${LIVE_SQL} WHERE live.seq = ? AND live.attempt = ? AND live.lease_token = ?
  AND live.status IN ('running', 'cancelling') AND +job.id = ?`

/** The job this lease authorizes writing to, or undefined if the lease is lost. */
export const findHeld = (db: Database, lease: Lease): LiveJob | undefined =>
  decode(db.get(HELD_SQL, seqOfToken(lease.leaseToken), lease.attempt, lease.leaseToken, lease.jobId))

const BY_SEQ_SQL = `${LIVE_SQL} WHERE live.seq = ?`

export const findLive = (db: Database, seq: number): LiveJob | undefined => decode(db.get(BY_SEQ_SQL, seq))

/** A queued job that has published must be finished by its next attempt: only a claim takes it out of the queue. */
export const mustFinish = (job: LiveJob): boolean => job.published && job.status === 'queued'

/** Lease tokens start with the job's position, so finding it needs no lookup by id. */
export const seqOfToken = (token: string): number | null => {
  const seq = Number.parseInt(token, 10)
  return Number.isSafeInteger(seq) ? seq : null
}

/** Position of a job in a workspace. */
export const findSeq = (db: Database, workspace: string, jobId: string): number | undefined =>
  db.get<[number]>('SELECT seq FROM job WHERE id = ? AND workspace = ?', jobId, workspace)?.[0]

const decode = (row: readonly unknown[] | undefined): LiveJob | undefined =>
  row &&
  ({
    id: row[0],
    workspace: row[1],
    kind: row[2],
    runId: row[3],
    workflowId: row[4],
    parentJobId: row[5],
    seq: row[6],
    status: row[7],
    statusReason: row[8],
    exclusiveKey: row[9],
    queuedAt: row[10],
    startedAt: row[11],
    attempt: row[12],
    userFailures: row[13],
    systemFailures: row[14],
    nextLogSeq: row[15],
    workerId: row[16],
    exitCode: row[17],
    signal: row[18],
    errorMessage: row[19],
    progress: row[20],
    run: row[21],
    sinks: row[22],
    published: row[23] === 1,
  } as LiveJob)
