import { randomBytes } from 'node:crypto'
import { newId } from '../../../kernel/ids.ts'
import type { EndedStatus } from '../../../model/job-status.ts'
import { deliveryFailed } from '../../../model/notification-text.ts'
import type { SinkRule } from '../../../model/workflow.ts'
import type { DeliveryEnd } from '../../sink-store.ts'
import type { EventSubject, Writer } from '../writer.ts'
import { notify } from './notifications.ts'
import { readClaimed } from './read-deliveries.ts'

type Ended = Pick<EventSubject, 'workspace' | 'runId' | 'workflowId'> & { readonly seq: number }

const INSERT_SQL = `INSERT INTO delivery (id, workspace, seq, sink_index, run_id, workflow_id, status, created_at, due_at, wait_ms, next_try_at)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'pending', ?7, ?7, 0, ?7)`

/** Runs in the transaction that ends the job: one delivery for each sink whose rule matches this end. */
export const writeDeliveries = (writer: Writer, job: Ended, sinks: string, status: EndedStatus): void => {
  if (status === 'cancelled') return
  const { db, now, effects } = writer
  for (const { index, onFailure } of JSON.parse(sinks) as SinkRule[]) {
    if (status === 'failed' && !onFailure) continue
    db.run(INSERT_SQL, newId(), job.workspace, job.seq, index, job.runId, job.workflowId, now)
    effects.hint('delivery')
  }
}

type Claim = { readonly limit: number; readonly leaseMs: number }

/** Rows of `readClaimed`. */
export const claimDeliveries = (writer: Writer, { limit, leaseMs }: Claim) => {
  const { db, now } = writer
  clampTimes(writer)
  const positions = db
    .all<[number]>(
      'SELECT position FROM delivery WHERE due_at IS NOT NULL AND due_at <= ? ORDER BY due_at, position LIMIT ?',
      now,
      limit,
    )
    .map(([position]) => position)
  const token = randomBytes(18).toString('base64url')
  if (positions.length > 0) db.run(CLAIM_SQL, token, now, leaseMs, JSON.stringify(positions))
  const [nextDueAt] = db.get<[number | null]>('SELECT min(due_at) FROM delivery WHERE due_at IS NOT NULL')!
  return {
    token,
    rows: readClaimed(writer, positions),
    nextDueInMs: nextDueAt === null ? null : Math.max(0, nextDueAt - now),
  }
}

const CLAIM_SQL = `UPDATE delivery SET claim_token = ?1, due_at = ?2 + ?3, wait_ms = ?3, tries = tries + 1, last_try_at = ?2,
    next_try_at = NULL, first_try_at = coalesce(first_try_at, ?2)
  WHERE position IN (SELECT value FROM json_each(?4))`

/** A clock that was set back would extend every wait by as much. */
const clampTimes = ({ db, now }: Writer): void => {
  db.run('UPDATE delivery SET due_at = ?1 + wait_ms WHERE due_at IS NOT NULL AND due_at - wait_ms > ?1', now)
}

const ENDED_SQL = `UPDATE delivery SET status = ?, delivered_at = ?, last_status = ?, last_error = ?, due_at = NULL, wait_ms = NULL,
    next_try_at = NULL, claim_token = NULL
  WHERE id = ? AND claim_token = ?`

const RETRY_SQL = `UPDATE delivery SET due_at = ?1, wait_ms = ?2, next_try_at = ?1, last_status = ?3, last_error = ?4, claim_token = NULL
  WHERE id = ?5 AND claim_token = ?6`

export const endDeliveries = (writer: Writer, ends: readonly DeliveryEnd[]): void => {
  for (const end of ends) endDelivery(writer, end)
}

const endDelivery = (writer: Writer, { deliveryId, claimToken, lastStatus, lastError, outcome }: DeliveryEnd): void => {
  const { db, now, effects } = writer
  if (outcome.type === 'retry') {
    const wait = Math.round(outcome.delayMs)
    db.run(RETRY_SQL, now + wait, wait, lastStatus, lastError, deliveryId, claimToken)
    effects.hint('delivery')
    return
  }
  const deliveredAt = outcome.type === 'delivered' ? now : null
  const ended = db.run(ENDED_SQL, outcome.type, deliveredAt, lastStatus, lastError, deliveryId, claimToken)
  if (ended > 0 && outcome.type !== 'delivered') notifyFailure(writer, deliveryId, lastError)
}

const notifyFailure = (writer: Writer, deliveryId: string, lastError: string | null): void => {
  const [workspace, jobId, runId, workflowId, status, tries] = writer.db.get<
    [string, string, string | null, string | null, 'failed' | 'stopped', number]
  >(
    `SELECT delivery.workspace, job.id, delivery.run_id, delivery.workflow_id, delivery.status, delivery.tries
     FROM delivery JOIN job USING (seq) WHERE delivery.id = ?`,
    deliveryId,
  )!
  notify(writer, {
    workspace,
    ...deliveryFailed({ status, tries, lastError }),
    workflowId,
    runId,
    jobId,
  })
}

export const redeliver = (
  { db, now, effects }: Writer,
  { workspace, deliveryId }: { workspace: string; deliveryId: string },
) => {
  const [status] =
    db.get<[string]>('SELECT status FROM delivery WHERE id = ? AND workspace = ?', deliveryId, workspace) ?? []
  if (status === undefined) return 'not_found'
  if (status === 'pending') return 'pending'
  db.run(
    `UPDATE delivery SET status = 'pending', due_at = ?1, wait_ms = 0, next_try_at = ?1, first_try_at = ?1, delivered_at = NULL
     WHERE id = ?2`,
    now,
    deliveryId,
  )
  effects.hint('delivery')
  return 'redelivered'
}

type Purge = { readonly createdBefore: number; readonly limit: number }

export const purgeDeliveries = ({ db }: Writer, { createdBefore, limit }: Purge): number =>
  db.run(
    `DELETE FROM delivery WHERE position IN
       (SELECT position FROM delivery WHERE created_at < ? AND status <> 'pending' ORDER BY created_at LIMIT ?)`,
    createdBefore,
    limit,
  )

/** Called when their job is deleted. */
export const deleteDeliveries = ({ db }: Writer, seq: number): void => {
  db.run('DELETE FROM delivery WHERE seq = ?', seq)
}
