import { isId } from '../../kernel/ids.ts'
import type { QueueStatistics, Worker, WorkerBeat } from '../store.ts'
import type { Statement } from './database.ts'
import { SCOPES_COLUMN } from './jobs/job-rows.ts'
import type { Session } from './session.ts'

const BEAT: Statement = {
  name: 'beat_worker',
  text: `
    INSERT INTO millrace.worker (id, host, pid, roles, slots, started_at, seen_at)
    VALUES ($1, $2, $3, $4, $5, $6, millrace.clock($7::bigint))
    ON CONFLICT (id) DO UPDATE
    SET host = excluded.host, pid = excluded.pid, roles = excluded.roles, slots = excluded.slots,
      started_at = excluded.started_at, seen_at = excluded.seen_at`,
}

/** Implements `beatWorker`. */
export const beatWorker = async (session: Session, beat: WorkerBeat): Promise<void> => {
  const { id, host, pid, roles, slots, startedAt } = beat
  await session.database.query(BEAT, [id, host, pid, JSON.stringify(roles), slots, startedAt, session.now()])
}

type WorkerRow = {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly roles: string
  readonly slots: number
  readonly started_at: number
  readonly seen_at: number
  readonly running: number
}

const LIST_WORKERS: Statement = {
  name: 'list_workers',
  text: `
    SELECT w.id, w.host, w.pid, w.roles, w.slots, w.started_at, w.seen_at, (
      SELECT count(*) FROM millrace.live AS l
      WHERE l.worker_id = w.id AND l.status IN ('running', 'cancelling')
    ) AS running
    FROM millrace.worker AS w
    ORDER BY w.started_at, w.id`,
}

/** Implements `listWorkers`. */
export const listWorkers = async (session: Session): Promise<readonly Worker[]> =>
  (await session.database.query<WorkerRow>(LIST_WORKERS, [])).map(row => ({
    id: row.id,
    host: row.host,
    pid: row.pid,
    roles: JSON.parse(row.roles),
    slots: row.slots,
    startedAt: row.started_at,
    seenAt: row.seen_at,
    running: row.running,
  }))

const PURGE: Statement = {
  name: 'purge_workers',
  text: `
    DELETE FROM millrace.worker
    WHERE id IN (SELECT id FROM millrace.worker WHERE seen_at < $1 ORDER BY seen_at LIMIT $2)
    RETURNING 1`,
}

/** Implements `purgeWorkers`. */
export const purgeWorkers = async (
  session: Session,
  { seenBefore, limit }: { seenBefore: number; limit: number },
): Promise<number> => (await session.database.query(PURGE, [seenBefore, limit])).length

const FIND_RUNNING: Statement = {
  name: 'find_running_attempt',
  text: `
    SELECT j.workspace, ${SCOPES_COLUMN}
    FROM millrace.live AS l
    JOIN millrace.job AS j ON j.id = l.id
    WHERE l.id = $1 AND l.attempt = $2 AND l.status IN ('running', 'cancelling')`,
}

/** Implements `findRunningAttempt`. */
export const findRunningAttempt = async (
  session: Session,
  { jobId, attempt }: { jobId: string; attempt: number },
): Promise<{ workspace: string; scopes: readonly string[] } | null> => {
  if (!isId(jobId)) return null
  type Row = { workspace: string; scopes: string }
  const [row] = await session.database.query<Row>(FIND_RUNNING, [jobId, attempt])
  return row ? { workspace: row.workspace, scopes: JSON.parse(row.scopes) } : null
}

const STATISTICS: Statement = {
  name: 'queue_statistics',
  text: `
    SELECT status, kind, count(*) AS count, min(queued_at) FILTER (WHERE status = 'queued') AS oldest_queued_at
    FROM millrace.live
    GROUP BY status, kind`,
}

const WAITING: Statement = {
  name: 'waiting_statistics',
  text: `
    SELECT (SELECT count(*) FROM millrace.run WHERE phase IN ('pending', 'running')) AS runs,
      (SELECT count(*) FROM millrace.delivery WHERE due_at IS NOT NULL) AS deliveries`,
}

/** Implements `queueStatistics`. */
export const queueStatistics = async (session: Session): Promise<QueueStatistics> => {
  type Row = QueueStatistics['counts'][number] & { oldest_queued_at: number | null }
  const [rows, [waiting]] = await Promise.all([
    session.database.reader.query<Row>(STATISTICS, []),
    session.database.reader.query<{ runs: number; deliveries: number }>(WAITING, []),
  ])
  const times = rows.flatMap(row => row.oldest_queued_at ?? [])
  return {
    counts: rows.map(({ status, kind, count }) => ({ status, kind, count })),
    oldestQueuedAt: times.length === 0 ? null : Math.min(...times),
    openRuns: waiting!.runs,
    pendingDeliveries: waiting!.deliveries,
  }
}
