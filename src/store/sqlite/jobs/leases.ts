import type { Lease } from '../../../model/job.ts'
import type { CancelReason } from '../../../model/job-status.ts'
import type { CancelOrder, LostAttempt, RenewOutcome } from '../../store.ts'
import type { Reader } from '../reader.ts'
import type { Writer } from '../writer.ts'
import { decodeRetry } from './job-row.ts'
import { findHeld } from './live-job.ts'

type Renew = { readonly leases: readonly Lease[]; readonly leaseMs: number; readonly leaseNow: number }

export const renewLeases = ({ db }: Writer, { leases, leaseMs, leaseNow }: Renew): RenewOutcome => {
  const lost: string[] = []
  const cancelling: CancelOrder[] = []
  for (const lease of leases) {
    const job = findHeld(db, lease)
    if (!job || db.run(RENEW_SQL, leaseNow + leaseMs, job.seq, leaseNow) === 0) lost.push(lease.jobId)
    else if (job.status === 'cancelling')
      cancelling.push(orderOf(db.get<OrderRow>(`${ORDER_SQL} AND live.seq = ?`, job.seq)!))
  }
  return { lost, cancelling }
}

const RENEW_SQL = 'UPDATE live SET lease_until = ? WHERE seq = ? AND lease_until > ?'

type OrderRow = [jobId: string, attempt: number, reason: CancelReason, graceMs: number | null]

const ORDER_SQL = `SELECT job.id, live.attempt, live.status_reason, live.grace_ms
  FROM live JOIN job USING (seq) WHERE live.status = 'cancelling'`

const orderOf = ([jobId, attempt, reason, graceMs]: OrderRow): CancelOrder => ({ jobId, attempt, reason, graceMs })

export const listCancelling = ({ db }: Reader, { workerId }: { workerId: string }): CancelOrder[] =>
  db.all<OrderRow>(`${ORDER_SQL} AND live.worker_id = ?`, workerId).map(orderOf)

type ListLost = {
  readonly leaseMs: number
  readonly leaseNow: number
  readonly limit: number
  readonly workerIds?: readonly string[]
}

export const listLostAttempts = (writer: Writer, { leaseMs, leaseNow, limit, workerIds }: ListLost): LostAttempt[] => {
  clampTimes(writer, leaseNow + leaseMs)
  const rows = workerIds
    ? writer.db.all<LostRow>(
        `${LOST_SQL} AND worker_id IN (SELECT value FROM json_each(?)) LIMIT ?`,
        JSON.stringify(workerIds),
        limit,
      )
    : writer.db.all<LostRow>(`${LOST_SQL} AND lease_until <= ? ORDER BY lease_until LIMIT ?`, leaseNow, limit)
  return rows.map(decodeLost)
}

/** A clock that was set back would extend every wait by as much, and every lease of a previous server. */
const clampTimes = ({ db, now, effects }: Writer, longestLease: number): void => {
  db.run(
    `UPDATE live SET lease_until = ?1 WHERE status IN ('running', 'cancelling') AND lease_until > ?1`,
    longestLease,
  )
  const clamped = db.run(
    `UPDATE live SET due_at = ?1 + wait_ms WHERE wait_ms IS NOT NULL AND due_at - wait_ms > ?1`,
    now,
  )
  if (clamped > 0) effects.hint('pending')
}

type LostRow = [
  jobId: string,
  attempt: number,
  leaseToken: string,
  workerId: string,
  workspace: string,
  kind: LostAttempt['kind'],
  retry: string | null,
  restartable: number,
  userFailures: number,
  systemFailures: number,
  nextLogSeq: number,
]

const LOST_SQL = `SELECT job.id, live.attempt, live.lease_token, live.worker_id, job.workspace, job.kind, job.retry,
    job.restartable, live.user_failures, live.system_failures, live.next_log_seq
  FROM live JOIN job USING (seq) WHERE live.status IN ('running', 'cancelling')`

const decodeLost = (row: LostRow): LostAttempt => {
  const [
    jobId,
    attempt,
    leaseToken,
    workerId,
    workspace,
    kind,
    retry,
    restartable,
    userFailures,
    systemFailures,
    nextLogSeq,
  ] = row
  return {
    lease: { jobId, attempt, leaseToken },
    workerId,
    workspace,
    kind,
    retry: decodeRetry(retry),
    restartable: restartable === 1,
    userFailures,
    systemFailures,
    nextLogSeq,
  }
}
