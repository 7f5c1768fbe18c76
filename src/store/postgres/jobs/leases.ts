import { isId } from '../../../kernel/ids.ts'
import type { Lease } from '../../../model/job.ts'
import type { CancelOrder, LostAttempt, RenewOutcome } from '../../store.ts'
import { arrayLiteral } from '../array-literal.ts'
import type { Statement } from '../database.ts'
import type { Session } from '../session.ts'
import { fromOptions } from './job-options.ts'
import { toClaimToken, toLeaseToken } from './lease-token.ts'

type OrderRow = {
  readonly id: string
  readonly attempt: number
  readonly status_reason: CancelOrder['reason']
  readonly grace_ms: number | null
}

const RENEW: Statement = {
  name: 'renew_leases',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    held AS MATERIALIZED (
      SELECT l.id
      FROM clock, unnest($3::uuid[], $4::integer[], $5::uuid[]) AS i (id, attempt, claim_token)
      CROSS JOIN LATERAL (
        SELECT live.id, live.lease_until FROM millrace.live
        WHERE live.id = i.id AND live.attempt = i.attempt AND live.claim_token = i.claim_token
        OFFSET 0
        FOR UPDATE
      ) AS l
      WHERE l.lease_until > clock.now
    )
    UPDATE millrace.live
    SET lease_until = clock.now + $2::bigint
    FROM clock
    WHERE live.id = ANY (ARRAY(SELECT id FROM held))
    RETURNING live.id, live.attempt, live.status, live.status_reason, live.grace_ms`,
}

export const renewLeases = async (
  session: Session,
  { leases, leaseMs }: { leases: readonly Lease[]; leaseMs: number },
): Promise<RenewOutcome> => {
  // In the order in which `lockJobs` locks.
  const known = leases.filter(lease => isId(lease.jobId)).sort((a, b) => (a.jobId < b.jobId ? -1 : 1))
  const rows = await session.database.query<OrderRow & { readonly status: string }>(RENEW, [
    session.now(),
    leaseMs,
    arrayLiteral(known, lease => lease.jobId),
    arrayLiteral(known, lease => lease.attempt),
    arrayLiteral(known, toClaimToken),
  ])
  const renewed = new Set(rows.map(row => row.id))
  return {
    lost: leases.filter(lease => !renewed.has(lease.jobId)).map(lease => lease.jobId),
    cancelling: rows.filter(row => row.status === 'cancelling').map(toOrder),
  }
}

const LIST_CANCELLING: Statement = {
  name: 'list_cancelling',
  text: `
    SELECT id, attempt, status_reason, grace_ms
    FROM millrace.live
    WHERE worker_id = $1 AND status IN ('running', 'cancelling') AND status = 'cancelling'`,
}

export const listCancelling = async (
  session: Session,
  { workerId }: { workerId: string },
): Promise<readonly CancelOrder[]> => (await session.database.query<OrderRow>(LIST_CANCELLING, [workerId])).map(toOrder)

const toOrder = (row: OrderRow): CancelOrder => ({
  jobId: row.id,
  attempt: row.attempt,
  reason: row.status_reason,
  graceMs: row.grace_ms,
})

/** After a clock was set back, leases and waits would end later than they may. */
const CLAMP: Statement = {
  name: 'clamp_times',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    lease AS (
      UPDATE millrace.live
      SET lease_until = clock.now + $2::bigint
      FROM clock
      WHERE live.status IN ('running', 'cancelling') AND live.lease_until > clock.now + $2::bigint
    )
    UPDATE millrace.live
    SET due_at = clock.now + live.wait_ms
    FROM clock
    WHERE live.wait_ms IS NOT NULL AND live.due_at - live.wait_ms > clock.now
    RETURNING 1`,
}

const LIST_LOST: Statement = {
  name: 'list_lost_attempts',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now)
    SELECT l.id, l.attempt, l.claim_token, l.worker_id, l.workspace, l.kind, l.user_failures, l.system_failures,
      l.next_log_seq, j.options
    FROM millrace.live AS l
    JOIN millrace.job AS j ON j.id = l.id
    WHERE l.status IN ('running', 'cancelling')
      AND CASE WHEN $2::text[] IS NULL THEN l.lease_until <= (SELECT now FROM clock) ELSE l.worker_id = ANY ($2::text[]) END
    LIMIT $3`,
}

type LostRow = {
  readonly id: string
  readonly attempt: number
  readonly claim_token: string
  readonly worker_id: string
  readonly workspace: string
  readonly kind: LostAttempt['kind']
  readonly user_failures: number
  readonly system_failures: number
  readonly next_log_seq: number
  readonly options: string | null
}

export const listLostAttempts = async (
  session: Session,
  { leaseMs, limit, workerIds }: { leaseMs: number; limit: number; workerIds?: readonly string[] },
): Promise<readonly LostAttempt[]> => {
  const clamped = await session.database.query(CLAMP, [session.now(), leaseMs])
  if (clamped.length > 0) session.signals.changed({ pending: true })
  const rows = await session.database.query<LostRow>(LIST_LOST, [session.now(), workerIds ?? null, limit])
  return rows.map(toLostAttempt)
}

const toLostAttempt = (row: LostRow): LostAttempt => {
  const options = fromOptions(row.options)
  return {
    lease: { jobId: row.id, attempt: row.attempt, leaseToken: toLeaseToken(row.claim_token, row.id) },
    workerId: row.worker_id,
    workspace: row.workspace,
    kind: row.kind,
    retry: options.retry,
    restartable: options.restartable,
    userFailures: row.user_failures,
    systemFailures: row.system_failures,
    nextLogSeq: row.next_log_seq,
  }
}
