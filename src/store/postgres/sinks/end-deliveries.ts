import { isId } from '../../../kernel/ids.ts'
import { deliveryFailed } from '../../../model/notification-text.ts'
import type { DeliveryEnd } from '../../sink-store.ts'
import { arrayLiteral } from '../array-literal.ts'
import type { Statement } from '../database.ts'
import { withLocks } from '../locks.ts'
import type { Session } from '../session.ts'
import { DELIVERY_COLUMNS, type DeliveryRow } from './delivery-rows.ts'
import { notify } from './notify.ts'

const END: Statement = {
  name: 'end_deliveries',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now)
    UPDATE millrace.delivery
    SET status = i.status, claim_token = NULL, last_status = i.last_status, last_error = i.last_error,
      due_at = clock.now + i.delay_ms, wait_ms = i.delay_ms, next_try_at = clock.now + i.delay_ms,
      delivered_at = CASE i.status WHEN 'delivered' THEN clock.now END
    FROM clock, unnest($2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::integer[], $7::text[])
      AS i (id, claim_token, status, delay_ms, last_status, last_error)
    WHERE delivery.id = i.id AND delivery.claim_token = i.claim_token
    RETURNING ${DELIVERY_COLUMNS}`,
}

/** Implements `endDeliveries`. */
export const endDeliveries = async (session: Session, ends: readonly DeliveryEnd[]): Promise<void> => {
  const known = ends.filter(({ deliveryId, claimToken }) => isId(deliveryId) && isId(claimToken))
  if (known.length === 0) return
  await withLocks(session, {}, async work => {
    const rows = await work.connection.query<DeliveryRow>(END, [work.now, ...columns(known)])
    for (const row of rows) {
      if (row.status === 'pending') work.effects.delivery = true
      if (row.status !== 'failed' && row.status !== 'stopped') continue
      await notify(work, {
        ...deliveryFailed({ status: row.status, tries: row.tries, lastError: row.last_error }),
        workspace: row.workspace,
        workflowId: row.workflow_id,
        runId: row.run_id,
        jobId: row.job_id,
      })
    }
  })
}

const columns = (ends: readonly DeliveryEnd[]): string[] => [
  arrayLiteral(ends, end => end.deliveryId),
  arrayLiteral(ends, end => end.claimToken),
  arrayLiteral(ends, ({ outcome }) => (outcome.type === 'retry' ? 'pending' : outcome.type)),
  arrayLiteral(ends, ({ outcome }) => (outcome.type === 'retry' ? Math.round(outcome.delayMs) : null)),
  arrayLiteral(ends, end => end.lastStatus),
  arrayLiteral(ends, end => end.lastError),
]
