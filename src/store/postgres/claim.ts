import type { ClaimedJob } from '../../model/job.ts'
import type { ClaimJobs } from '../store.ts'
import type { Statement } from './database.ts'
import { BODY_COLUMNS, type BodyRow, toBody } from './job-rows.ts'
import { newClaimToken, toLeaseToken } from './lease-token.ts'
import { LowWater } from './low-water.ts'
import type { Session } from './session.ts'

type ClaimRow = BodyRow & {
  readonly sequence: number
  readonly secrets: Uint8Array | null
  readonly created_at: number
  readonly started_at: number
  readonly attempt: number
  readonly user_failures: number
  readonly system_failures: number
  readonly next_log_seq: number
}

/** Everything after `picked (place)`, which are locked: starts an attempt of each and hands over what was submitted. */
const START = `
    clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    started AS (
      UPDATE millrace.live
      SET status = 'running', status_reason = NULL, error_message = NULL, exit_code = NULL, signal = NULL,
        progress = NULL, attempt = live.attempt + 1, worker_id = $2, started_at = clock.now, updated_at = clock.now,
        lease_until = clock.now + $3::bigint, claim_token = $6::uuid
      FROM clock
      WHERE live.ctid = ANY (ARRAY(SELECT place FROM picked))
      RETURNING live.id, live.sequence, live.attempt, live.started_at,
        live.user_failures, live.system_failures, live.next_log_seq
    )
    SELECT ${BODY_COLUMNS}, j.secrets, j.created_at, s.sequence, s.started_at, s.attempt,
      s.user_failures, s.system_failures, s.next_log_seq
    FROM started AS s
    CROSS JOIN LATERAL (SELECT * FROM millrace.job WHERE job.id = s.id OFFSET 0) AS j`

/** From the first queued job on. */
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

/** From a known sequence of each known priority on (`LowWater`). */
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

/** `claimJobs`: one statement; what it finds locked belongs to another worker. */
export const claimer = (session: Session): ((input: ClaimJobs) => Promise<readonly ClaimedJob[]>) => {
  const lowWaters = new Map<string, LowWater>()
  return async ({ workerId, kinds, limit, leaseMs }) => {
    if (kinds.length === 0 || limit === 0) return []
    const lowWater = lowWaters.get(kinds.join()) ?? new LowWater()
    lowWaters.set(kinds.join(), lowWater)
    const claimToken = newClaimToken()
    const values = [session.now(), workerId, leaseMs, kinds, limit, claimToken]
    const marks = lowWater.marks()
    const startedAt = performance.now()
    const found = marks
      ? await session.database.query<ClaimRow>(CLAIM_ABOVE, [...values, marks.priorities, marks.sequences])
      : await session.database.query<ClaimRow>(CLAIM, values)
    const rows = found.toSorted((a, b) => b.priority - a.priority || a.sequence - b.sequence)
    lowWater.claimed({ rows, isFullScan: marks === null, tookMs: performance.now() - startedAt })
    const scopes = await session.scopeSets.read(rows.map(row => row.scope_set))
    await session.queueing.settled(rows)
    tell(session, rows)
    return rows.map(row => toClaimedJob(row, scopes.get(row.scope_set)!, claimToken))
  }
}

const tell = (session: Session, rows: readonly ClaimRow[]): void => {
  if (rows.length === 0) return
  for (const row of rows) session.queueCounts.add(row.workspace, -1)
  session.signals.changed({
    events: rows.map(row => ({
      jobId: row.id,
      workspace: row.workspace,
      kind: row.kind,
      runId: row.run_id,
      workflowId: row.workflow_id,
      parentJobId: row.parent_job_id,
      status: 'running',
      statusReason: null,
      timestamp: row.started_at,
    })),
  })
}

const toClaimedJob = (row: ClaimRow, scopes: readonly string[], claimToken: string): ClaimedJob => ({
  ...toBody(row, scopes),
  secrets: row.secrets,
  createdAt: row.created_at,
  startedAt: row.started_at,
  attempt: row.attempt,
  leaseToken: toLeaseToken(claimToken, row.id),
  userFailures: row.user_failures,
  systemFailures: row.system_failures,
  nextLogSeq: row.next_log_seq,
})
