import { randomUUID } from 'node:crypto'
import type { ClaimedDelivery } from '../../sink-store.ts'
import type { Store } from '../../store.ts'
import type { Statement } from '../database.ts'
import { JOB_COLUMNS, JOB_TABLES, type JobRow, toJob } from '../jobs/job-rows.ts'
import type { Session } from '../session.ts'
import { DELIVERY_COLUMNS, type DeliveryRow, toDelivery } from './delivery-rows.ts'

/** Skips locked rows, which another process is claiming. */
const CLAIM: Statement = {
  name: 'claim_deliveries',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    picked AS MATERIALIZED (
      SELECT ctid AS place
      FROM millrace.delivery
      WHERE due_at IS NOT NULL AND due_at <= (SELECT now FROM clock)
      ORDER BY due_at
      LIMIT $2
      FOR UPDATE SKIP LOCKED
    )
    UPDATE millrace.delivery
    SET tries = delivery.tries + 1, last_try_at = clock.now, first_try_at = coalesce(delivery.first_try_at, clock.now),
      due_at = clock.now + $3::bigint, wait_ms = $3::bigint, claim_token = $4::uuid
    FROM clock
    WHERE delivery.ctid = ANY (ARRAY(SELECT place FROM picked))
    RETURNING ${DELIVERY_COLUMNS}`,
}

/** After a clock was set back, claims and waits would end later than they may. */
const CLAMP: Statement = {
  name: 'clamp_deliveries',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now)
    UPDATE millrace.delivery
    SET due_at = clock.now + delivery.wait_ms
    FROM clock
    WHERE delivery.due_at IS NOT NULL AND delivery.due_at - delivery.wait_ms > clock.now`,
}

const NEXT_DUE: Statement = {
  name: 'next_due_delivery',
  text: `
    SELECT min(due_at) - millrace.clock($1::bigint) AS next_due_in_ms
    FROM millrace.delivery
    WHERE due_at IS NOT NULL`,
}

const READ_JOBS: Statement = {
  name: 'read_jobs_of_deliveries',
  text: `
    SELECT ${JOB_COLUMNS}, j.secrets
    FROM unnest($1::uuid[]) AS i (id)
    JOIN millrace.job AS j ON j.id = i.id ${JOB_TABLES}`,
}

/** Implements `claimDeliveries`. */
export const claimDeliveries = async (
  session: Session,
  { limit, leaseMs }: { limit: number; leaseMs: number },
): ReturnType<Store['claimDeliveries']> => {
  const { database } = session
  const claimToken = randomUUID()
  const rows = await database.query<DeliveryRow>(CLAIM, [session.now(), limit, leaseMs, claimToken])
  if (rows.length < limit) await database.query(CLAMP, [session.now()])
  const [next] = await database.query<{ next_due_in_ms: number | null }>(NEXT_DUE, [session.now()])
  const waits = next!.next_due_in_ms // null if none is waiting, which `greatest` would turn into 0
  return { claimed: await readJobs(session, rows, claimToken), nextDueInMs: waits === null ? null : Math.max(0, waits) }
}

/** Oldest due first. A job purged meanwhile took its deliveries along. */
const readJobs = async (
  session: Session,
  rows: readonly DeliveryRow[],
  claimToken: string,
): Promise<readonly ClaimedDelivery[]> => {
  if (rows.length === 0) return []
  type Row = JobRow & { readonly secrets: Uint8Array | null }
  const ids = [...new Set(rows.map(row => row.job_id))]
  const jobs = new Map((await session.database.query<Row>(READ_JOBS, [ids])).map(job => [job.id, job]))
  return rows
    .toSorted((a, b) => a.next_try_at! - b.next_try_at! || a.position - b.position)
    .flatMap(row => {
      const job = jobs.get(row.job_id)
      const claimed = { delivery: toDelivery(row), claimToken, firstTryAt: row.first_try_at! }
      return job ? [{ ...claimed, job: toJob(job), secrets: job.secrets }] : []
    })
}
