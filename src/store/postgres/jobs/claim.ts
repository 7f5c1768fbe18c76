import type { ClaimedJob } from '../../../model/job.ts'
import type { ClaimJobs } from '../../store.ts'
import { arrayLiteral } from '../array-literal.ts'
import type { Statement } from '../database.ts'
import { LowWater } from '../low-water.ts'
import type { Session } from '../session.ts'
import { BODY_COLUMNS, SCOPES_COLUMN } from './job-rows.ts'
import { newClaimToken, toLeaseToken } from './lease-token.ts'
import { type SubmissionRow, toSubmission } from './read-job.ts'
import type { Submitted } from './recent-jobs.ts'

type StartedRow = {
  readonly id: string
  readonly priority: number
  readonly sequence: number
  readonly started_at: number
  readonly attempt: number
  readonly user_failures: number
  readonly system_failures: number
  readonly next_log_seq: number
}

/** The rest of a claim after the locked rows of `picked (place)`: starts an attempt for each. */
const START = `
    clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now)
    UPDATE millrace.live
    SET status = 'running', status_reason = NULL, error_message = NULL, exit_code = NULL, signal = NULL,
      progress = NULL, attempt = live.attempt + 1, worker_id = $2, started_at = clock.now, updated_at = clock.now,
      lease_until = clock.now + $3::bigint, claim_token = $6::uuid
    FROM clock
    WHERE live.ctid = ANY (ARRAY(SELECT place FROM picked))
    RETURNING live.id, live.priority, live.sequence, live.started_at, live.attempt, live.user_failures,
      live.system_failures, live.next_log_seq`

/** Starts at the first queued job. */
const CLAIM: Statement = {
  name: 'claim_jobs',
  text: `
    WITH picked AS MATERIALIZED (
      SELECT ctid AS place
      FROM millrace.live
      WHERE status = 'queued' AND kind = ANY ($4::text[])
      ORDER BY priority DESC, sequence
      LIMIT $5
      FOR UPDATE SKIP LOCKED
    ),${START}`,
}

/** Starts at a known sequence for each known priority (`LowWater`). */
const CLAIM_ABOVE: Statement = {
  name: 'claim_jobs_above',
  text: `
    WITH picked AS MATERIALIZED (
      SELECT found.place
      FROM unnest($7::smallint[], $8::bigint[]) AS mark (priority, sequence)
      CROSS JOIN LATERAL (
        SELECT ctid AS place
        FROM millrace.live
        WHERE status = 'queued' AND kind = ANY ($4::text[])
          AND live.priority = mark.priority AND live.sequence >= mark.sequence
        ORDER BY live.sequence
        LIMIT $5
        FOR UPDATE SKIP LOCKED
      ) AS found
      LIMIT $5
    ),${START}`,
}

/** Implements `claimJobs`: one statement; skips locked rows, which another worker is claiming. */
export const claimer = (session: Session): ((input: ClaimJobs) => Promise<readonly ClaimedJob[]>) => {
  const lowWaters = new Map<string, LowWater>()
  return async input => {
    if (input.kinds.length === 0 || input.limit === 0) return []
    const kinds = input.kinds.join()
    const lowWater = lowWaters.get(kinds) ?? new LowWater()
    lowWaters.set(kinds, lowWater)
    const claimToken = newClaimToken()
    const rows = await start(session, input, { claimToken, lowWater })
    await session.queueing.settled(rows)
    const jobs = await readBodies(session, rows)
    for (const job of jobs) session.claimedItems.add(job)
    const claimed = rows.map((row, index) => toClaimedJob(row, jobs[index]!, claimToken))
    tell(session, claimed)
    return claimed
  }
}

const start = async (
  session: Session,
  { workerId, kinds, limit, leaseMs }: ClaimJobs,
  { claimToken, lowWater }: { claimToken: string; lowWater: LowWater },
): Promise<readonly StartedRow[]> => {
  const values = [session.now(), workerId, leaseMs, kinds, limit, claimToken]
  const startedAt = performance.now()
  const marks = lowWater.marks(startedAt)
  const rows = marks
    ? await session.database.query<StartedRow>(CLAIM_ABOVE, [...values, marks.priorities, marks.sequences])
    : await session.database.query<StartedRow>(CLAIM, values)
  const now = performance.now()
  lowWater.claimed({ rows, isFullScan: marks === null, tookMs: now - startedAt, now })
  if (marks && rows.length < limit) session.signals.wakeIn(Math.max(0, lowWater.fullScanDueAt - now))
  return rows.toSorted((a, b) => b.priority - a.priority || a.sequence - b.sequence)
}

const READ_BODIES: Statement = {
  name: 'read_bodies',
  text: `
    SELECT ${BODY_COLUMNS}, ${SCOPES_COLUMN}, j.secrets, j.created_at
    FROM unnest($1::uuid[]) AS i (id)
    CROSS JOIN LATERAL (SELECT * FROM millrace.job WHERE job.id = i.id OFFSET 0) AS j`,
}

type ClaimedBodyRow = SubmissionRow & { readonly created_at: number }

/** The submitted jobs, in the order of the rows. */
const readBodies = async (session: Session, rows: readonly StartedRow[]): Promise<readonly Submitted[]> => {
  const known = rows.map(row => session.recentJobs.take(row.id))
  const missing = rows.filter((_, index) => known[index] === undefined)
  if (missing.length === 0) return known as readonly Submitted[]
  const read = await session.database.query<ClaimedBodyRow>(READ_BODIES, [arrayLiteral(missing, row => row.id)])
  const byId = new Map(read.map(row => [row.id, toSubmitted(row)]))
  return known.map((job, index) => job ?? byId.get(rows[index]!.id)!)
}

const toSubmitted = (row: ClaimedBodyRow): Submitted => ({ ...toSubmission(row), createdAt: row.created_at })

const toClaimedJob = (row: StartedRow, job: Submitted, claimToken: string): ClaimedJob => ({
  ...job,
  startedAt: row.started_at,
  attempt: row.attempt,
  leaseToken: toLeaseToken(claimToken, row.id),
  userFailures: row.user_failures,
  systemFailures: row.system_failures,
  nextLogSeq: row.next_log_seq,
})

const tell = (session: Session, claimed: readonly ClaimedJob[]): void => {
  if (claimed.length === 0) return
  for (const job of claimed) session.queueCounts.add(job.workspace, -1)
  session.signals.changed({
    events: claimed.map(job => ({
      jobId: job.id,
      workspace: job.workspace,
      kind: job.kind,
      runId: job.runId,
      workflowId: job.workflowId,
      parentJobId: job.parentJobId,
      status: 'running',
      statusReason: null,
      timestamp: job.startedAt,
    })),
  })
}
