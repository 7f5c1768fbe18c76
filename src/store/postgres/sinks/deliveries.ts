import { isId } from '../../../kernel/ids.ts'
import type { Delivery } from '../../../model/workflow.ts'
import type { DeliveryFilters } from '../../sink-store.ts'
import type { Store } from '../../store.ts'
import { storable } from '../array-literal.ts'
import type { Queryable, Statement } from '../database.ts'
import type { Parameters as QueryParameters } from '../filters.ts'
import { countRows, readPage } from '../page.ts'
import type { Session } from '../session.ts'
import { DELIVERY_COLUMNS, type DeliveryRow, toDelivery } from './delivery-rows.ts'

type DeliveryKey = { readonly workspace: string; readonly deliveryId: string }

const GET: Statement = {
  name: 'get_delivery',
  text: `SELECT ${DELIVERY_COLUMNS} FROM millrace.delivery WHERE id = $1 AND workspace = $2`,
}

/** Implements `getDelivery`. */
export const getDelivery = async (
  target: Queryable,
  { workspace, deliveryId }: DeliveryKey,
): Promise<Delivery | null> => {
  if (!isId(deliveryId)) return null
  const [row] = await target.query<DeliveryRow>(GET, [deliveryId, workspace])
  return row ? toDelivery(row) : null
}

/** Implements `listDeliveries`. */
export const listDeliveries = async (
  target: Queryable,
  { filters, ...input }: Parameters<Store['listDeliveries']>[0],
): ReturnType<Store['listDeliveries']> => {
  if (matchesNothing(filters)) return { deliveries: [], nextCursor: null }
  const asked = { ...input, filters: { list: 'deliveries', ...filters } }
  const page = await readPage<DeliveryRow>(target, asked, queryOf({ workspace: input.workspace, filters }))
  return { deliveries: page.rows.map(toDelivery), nextCursor: page.nextCursor }
}

/** Implements `countDeliveries`. */
export const countDeliveries = async (
  target: Queryable,
  input: Parameters<Store['countDeliveries']>[0],
): Promise<number> => (matchesNothing(input.filters) ? 0 : countRows(target, queryOf(input)))

const matchesNothing = ({ jobId }: DeliveryFilters): boolean => jobId !== undefined && !isId(jobId)

const queryOf =
  ({ workspace, filters: { status, jobId, runId, workflowId } }: Parameters<Store['countDeliveries']>[0]) =>
  (parameters: QueryParameters, below: string) =>
    `
    SELECT ${DELIVERY_COLUMNS} FROM millrace.delivery
    WHERE workspace = ${parameters.add(workspace)} AND position < ${below}
      ${status ? `AND status = ANY (${parameters.add(status)}::text[])` : ''}
      ${status && !status.includes('delivered') ? `AND status <> 'delivered'` : ''}
      ${jobId === undefined ? '' : `AND job_id = ${parameters.add(jobId)}::uuid`}
      ${runId === undefined ? '' : `AND run_id = ${parameters.add(storable(runId))}`}
      ${workflowId === undefined ? '' : `AND workflow_id = ${parameters.add(storable(workflowId))}`}`

const REDELIVER: Statement = {
  name: 'redeliver',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now)
    UPDATE millrace.delivery
    SET status = 'pending', due_at = clock.now, wait_ms = 0, next_try_at = clock.now, first_try_at = clock.now,
      delivered_at = NULL
    FROM clock
    WHERE delivery.id = $2 AND delivery.workspace = $3 AND delivery.status <> 'pending'
    RETURNING 1`,
}

/** Implements `redeliver`. */
export const redeliver = async (
  session: Session,
  key: DeliveryKey,
): Promise<'redelivered' | 'pending' | 'not_found'> => {
  if (!isId(key.deliveryId)) return 'not_found'
  const done = await session.database.query(REDELIVER, [session.now(), key.deliveryId, key.workspace])
  if (done.length === 0) return (await getDelivery(session.database, key)) ? 'pending' : 'not_found'
  session.signals.changed({ delivery: true })
  return 'redelivered'
}

const PURGE: Statement = {
  name: 'purge_deliveries',
  text: `
    WITH old AS MATERIALIZED (
      SELECT id FROM millrace.delivery
      WHERE status <> 'pending' AND created_at < $1
      ORDER BY created_at, position
      LIMIT $2
      FOR UPDATE SKIP LOCKED
    )
    DELETE FROM millrace.delivery WHERE id = ANY (ARRAY(SELECT id FROM old)) RETURNING 1`,
}

/** Implements `purgeDeliveries`. */
export const purgeDeliveries = async (
  session: Session,
  { createdBefore, limit }: { createdBefore: number; limit: number },
): Promise<number> => (await session.database.query(PURGE, [createdBefore, limit])).length
