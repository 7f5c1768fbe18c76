import type { Writer } from '../writer.ts'
import { readRun } from './run.ts'
import { settleRuns } from './settle-runs.ts'
import { startRun } from './start-run.ts'

/** Starts runs that were triggered for a time that has come. */
export const startDueRuns = (writer: Writer, { limit }: { limit: number }) => {
  const { db, now } = writer
  const due = db.all<[number]>(
    'SELECT seq FROM run WHERE due_at IS NOT NULL AND paused = 0 AND due_at <= ? ORDER BY due_at, seq LIMIT ?',
    now,
    limit,
  )
  for (const [seq] of due) startRun(writer, readRun(db, seq)!)
  settleRuns(writer)
  const [nextDueAt] = db.get<[number | null]>('SELECT min(due_at) FROM run WHERE due_at IS NOT NULL AND paused = 0')!
  return { started: due.length, nextDueAt }
}
