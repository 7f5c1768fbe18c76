import { randomBytes } from 'node:crypto'
import type { ClaimJobs } from '../../store.ts'
import type { Writer } from '../writer.ts'
import { CLAIMED_SQL } from './job-row.ts'
import { WaitingChanges } from './waiting.ts'

/** Returns rows for `decodeClaimed`. */
export const claimJobs = (
  writer: Writer,
  { workerId, kinds, limit, leaseMs, leaseNow }: ClaimJobs & { readonly leaseNow: number },
): unknown[][] => {
  const { db, now, effects } = writer
  const seqs = nextQueued(writer, kinds, limit)
  if (seqs.length === 0) return []
  const batch = JSON.stringify(seqs)
  db.run(START_SQL, now, now, leaseNow + leaseMs, workerId, `.${randomBytes(18).toString('base64url')}`, batch)
  const rows = db.all<unknown[]>(CLAIMED_ROWS_SQL, batch)
  const waiting = new WaitingChanges()
  for (const row of rows) {
    const [id, workspace, kind, , , , , workflowId, runId, parentJobId] = row as string[]
    waiting.add(workspace!, -1)
    effects.event(
      {
        id: id!,
        workspace: workspace!,
        kind: kind!,
        runId: runId!,
        workflowId: workflowId!,
        parentJobId: parentJobId!,
      },
      'running',
      null,
      now,
    )
  }
  waiting.apply(db)
  return rows
}

/** One token per row: its position and this claim's random part. */
const START_SQL = `UPDATE live SET status = 'running', status_reason = NULL, started_at = ?, updated_at = ?, lease_until = ?,
    worker_id = ?, lease_token = seq || ?, attempt = attempt + 1, error_message = NULL, exit_code = NULL, signal = NULL,
    progress = NULL
  WHERE seq IN (SELECT value FROM json_each(?)) AND status = 'queued'`

const CLAIMED_ROWS_SQL = `SELECT ${CLAIMED_SQL} FROM json_each(?) AS next
  CROSS JOIN live ON live.seq = next.value CROSS JOIN job ON job.seq = live.seq ORDER BY next.key`

const QUEUED_SQL = `SELECT priority, seq FROM live WHERE status = 'queued' AND kind = ? ORDER BY priority DESC, seq LIMIT ?`

/** Each kind has its own queue in the index; takes the first jobs across all of them. */
const nextQueued = ({ db }: Writer, kinds: readonly string[], limit: number): number[] => {
  const queues = kinds.map(kind => db.all<[number, number]>(QUEUED_SQL, kind, limit)).filter(queue => queue.length > 0)
  const first = queues.length === 1 ? queues[0]! : queues.flat().sort((a, b) => b[0] - a[0] || a[1] - b[1])
  return first.slice(0, limit).map(([, seq]) => seq)
}
