import type { Delivery, DeliveryStatus } from '../../../model/workflow.ts'
import type { DeliveryFilters } from '../../sink-store.ts'
import { type Counted, countStretch } from '../count-stretch.ts'
import type { Database, SqlValue } from '../database.ts'
import type { Condition } from '../jobs/job-filters.ts'
import { JOB_SQL } from '../jobs/job-row.ts'
import { newestPage } from '../page.ts'
import type { Reader } from '../reader.ts'

type Row = readonly unknown[]

const DELIVERY_SQL = `delivery.id, delivery.workspace, job.id, delivery.run_id, delivery.workflow_id, job.kind,
  delivery.sink_index, delivery.status, delivery.tries, delivery.created_at, delivery.next_try_at, delivery.last_try_at,
  delivery.delivered_at, delivery.last_status, delivery.last_error`
const DELIVERY_COLUMNS = 15

const decode = (row: Row): Delivery => {
  const [id, workspace, jobId, runId, workflowId, kind, sinkIndex, status, tries, createdAt, ...last] = row
  const [nextTryAt, lastTryAt, deliveredAt, lastStatus, lastError] = last
  return {
    id,
    workspace,
    jobId,
    runId,
    workflowId,
    kind,
    sinkIndex,
    status,
    tries,
    createdAt,
    nextTryAt,
    lastTryAt,
    deliveredAt,
    lastStatus,
    lastError,
  } as Delivery
}

/** What a claim returns; `job` is a row for `decodeJob`. */
export type ClaimedRow = {
  readonly delivery: Delivery
  readonly firstTryAt: number
  readonly secrets: Uint8Array | null
  readonly job: Row
}

const CLAIMED_SQL = `SELECT ${DELIVERY_SQL}, delivery.first_try_at, job.secrets, ${JOB_SQL}
  FROM json_each(?) AS claimed CROSS JOIN delivery ON delivery.position = claimed.value CROSS JOIN job ON job.seq = delivery.seq
  LEFT JOIN live ON live.seq = job.seq LEFT JOIN ended ON ended.seq = job.seq LEFT JOIN result ON result.seq = job.seq
  ORDER BY claimed.key`

export const readClaimed = ({ db }: Reader, positions: readonly number[]): ClaimedRow[] =>
  db.all<Row>(CLAIMED_SQL, JSON.stringify(positions)).map(row => ({
    delivery: decode(row),
    firstTryAt: row[DELIVERY_COLUMNS] as number,
    secrets: row[DELIVERY_COLUMNS + 1] as Uint8Array | null,
    job: row.slice(DELIVERY_COLUMNS + 2),
  }))

const FROM_SQL = 'FROM delivery JOIN job ON job.seq = delivery.seq'

export const getDelivery = (
  { db }: Reader,
  { workspace, deliveryId }: { workspace: string; deliveryId: string },
): Delivery | null => {
  const row = db.get<Row>(
    `SELECT ${DELIVERY_SQL} ${FROM_SQL} WHERE delivery.id = ? AND delivery.workspace = ?`,
    deliveryId,
    workspace,
  )
  return row ? decode(row) : null
}

type List = {
  readonly workspace: string
  readonly filters: DeliveryFilters
  readonly before: number | null
  readonly limit: number
}

/** Each status has its own stretch, scanned newest first: most deliveries are `delivered`, and there is an index of the others. */
export const listDeliveries = ({ db }: Reader, { workspace, filters, before, limit }: List) => {
  const shared = conditionOf(db, filters)
  const stretches = filters.status ? [...new Set(filters.status)].map(statusSql) : ['1']
  const rows = stretches.flatMap(status =>
    db.all<Row>(
      `SELECT ${DELIVERY_SQL}, delivery.position ${FROM_SQL}
       WHERE delivery.workspace = ? AND delivery.position < ? AND ${status} AND ${shared.sql} ORDER BY delivery.position DESC LIMIT ?`,
      workspace,
      before ?? Number.MAX_SAFE_INTEGER,
      ...shared.values,
      limit + 1,
    ),
  )
  const { found, next } = newestPage(rows, limit, positionOf)
  return { found: found.map(decode), next }
}

export const countDeliveries = ({ db }: Reader, { workspace, filters, before }: Omit<List, 'limit'>): Counted => {
  const { sql, values } = conditionOf(db, filters)
  const status = filters.status ? `(${filters.status.map(statusSql).join(' OR ')})` : '1'
  return countStretch(db, {
    from: 'delivery',
    position: 'delivery.position',
    within: { sql: 'delivery.workspace = ?', values: [workspace] },
    condition: { sql: `${status} AND ${sql}`, values },
    before,
  })
}

const positionOf = (row: Row): number => row[DELIVERY_COLUMNS] as number

/** The redundant second condition repeats the predicate of the partial index. */
const STATUS_SQL: Readonly<Record<DeliveryStatus, string>> = {
  pending: "delivery.status = 'pending' AND delivery.status <> 'delivered'",
  delivered: "delivery.status = 'delivered'",
  failed: "delivery.status = 'failed' AND delivery.status <> 'delivered'",
  stopped: "delivery.status = 'stopped' AND delivery.status <> 'delivered'",
}

const statusSql = (status: DeliveryStatus): string => STATUS_SQL[status]

const conditionOf = (db: Database, { jobId, runId, workflowId }: DeliveryFilters): Condition => {
  const parts: string[] = ['1']
  const values: SqlValue[] = []
  const add = (sql: string, value: SqlValue | undefined) => {
    if (value === undefined) return
    parts.push(sql)
    values.push(value)
  }
  add('delivery.seq = ?', jobId === undefined ? undefined : seqOf(db, jobId))
  add('delivery.run_id = ?', runId)
  add('delivery.workflow_id = ?', workflowId)
  return { sql: parts.join(' AND '), values }
}

const seqOf = (db: Database, jobId: string): number =>
  db.get<[number]>('SELECT seq FROM job WHERE id = ?', jobId)?.[0] ?? 0
