import type { QueueStatistics, Worker, WorkerBeat } from '../store.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

export const beatWorker = ({ db, now }: Writer, { id, host, pid, roles, slots, startedAt }: WorkerBeat): void => {
  db.run(
    'INSERT OR REPLACE INTO worker VALUES (?, ?, ?, ?, ?, ?, ?)',
    id,
    host,
    pid,
    JSON.stringify(roles),
    slots,
    startedAt,
    now,
  )
}

type WorkerRow = [
  id: string,
  host: string,
  pid: number,
  roles: string,
  slots: number,
  startedAt: number,
  seenAt: number,
  running: number,
]

export const listWorkers = ({ db }: Reader): Worker[] =>
  db.all<WorkerRow>(WORKERS_SQL).map(([id, host, pid, roles, slots, startedAt, seenAt, running]) => ({
    id,
    host,
    pid,
    roles: JSON.parse(roles),
    slots,
    startedAt,
    seenAt,
    running,
  }))

const WORKERS_SQL = `
  WITH held AS (SELECT worker_id, count(*) AS running FROM live WHERE status IN ('running', 'cancelling') GROUP BY worker_id)
  SELECT id, host, pid, roles, slots, started_at, seen_at, coalesce(running, 0)
  FROM worker LEFT JOIN held ON held.worker_id = worker.id ORDER BY started_at, id`

export const purgeWorkers = ({ db }: Writer, { seenBefore, limit }: { seenBefore: number; limit: number }): number =>
  db.run('DELETE FROM worker WHERE id IN (SELECT id FROM worker WHERE seen_at < ? LIMIT ?)', seenBefore, limit)

type CountRow = [status: string, kind: string, count: number, oldestQueuedAt: number | null]

export const queueStatistics = ({ db }: Reader): QueueStatistics => {
  const rows = db.all<CountRow>('SELECT status, kind, count(*), min(queued_at) FROM live GROUP BY status, kind')
  const queued = rows.flatMap(([status, , , oldest]) => (status === 'queued' && oldest !== null ? [oldest] : []))
  return {
    counts: rows.map(([status, kind, count]) => ({ status, kind, count }) as QueueStatistics['counts'][number]),
    oldestQueuedAt: queued.length > 0 ? Math.min(...queued) : null,
    openRuns: db.get<[number]>("SELECT count(*) FROM run WHERE phase IN ('pending', 'running')")![0],
    pendingDeliveries: db.get<[number]>('SELECT count(*) FROM delivery WHERE due_at IS NOT NULL')![0],
  }
}
