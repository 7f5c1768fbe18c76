import type { Database } from '../database.ts'
import type { SubmittedJobRow } from '../jobs/job-row.ts'
import { findLive, findSeq, type LiveJob } from '../jobs/live-job.ts'
import type { Reader } from '../reader.ts'
import type { Writer } from '../writer.ts'
import { insertWaitingItems } from './insert-items.ts'
import { readRun } from './run.ts'

export type ExtendRows = {
  readonly workspace: string
  readonly jobId: string
  readonly attempt: number
  readonly items: readonly SubmittedJobRow[]
  readonly maxItems: number
}

/** Stores the items that a running item adds to its run until its attempt completes. */
export const extendRun = (writer: Writer, { workspace, jobId, attempt, items, maxItems }: ExtendRows) => {
  const { db } = writer
  const job = findAttempt(db, { workspace, jobId, attempt })
  if (typeof job === 'string') return job
  if (job.run === null) return 'not_in_run'
  const total = readRun(db, job.run)!.items + countExtensions(db, job.run) + items.length
  if (total > maxItems) return { type: 'too_many', items: total } as const
  const [kept] = db.get<[number]>('SELECT coalesce(max(position), 0) FROM extension WHERE seq = ?', job.seq)!
  for (const [index, [row, secrets, ...others]] of items.entries())
    db.run(
      'INSERT INTO extension (seq, position, run, job, secrets) VALUES (?, ?, ?, ?, ?)',
      job.seq,
      kept + index + 1,
      job.run,
      JSON.stringify([row, ...others]),
      secrets,
    )
  return 'kept'
}

type WhichAttempt = { readonly workspace: string; readonly jobId: string; readonly attempt: number }

const findAttempt = (
  db: Database,
  { workspace, jobId, attempt }: WhichAttempt,
): LiveJob | 'not_found' | 'not_running' => {
  const seq = findSeq(db, workspace, jobId)
  if (seq === undefined) return 'not_found'
  const job = findLive(db, seq)
  const runs = job?.attempt === attempt && (job.status === 'running' || job.status === 'cancelling')
  return runs ? job : 'not_running'
}

const countExtensions = (db: Database, runSeq: number): number =>
  db.get<[number]>('SELECT count(*) FROM extension WHERE run = ?', runSeq)![0]

/** Those of these jobs that have added items. Nearly always none: one search of a nearly empty table. */
export const findExtended = (db: Database, seqs: readonly number[]): number[] =>
  db
    .all<[number]>(
      'SELECT DISTINCT seq FROM extension WHERE seq IN (SELECT value FROM json_each(?))',
      JSON.stringify(seqs),
    )
    .map(([seq]) => seq)

type Kept = [run: number, job: string, secrets: Uint8Array | null]

/**
 * When an item completes, the items it added join its run, unless that is being terminated. Call this before its end is counted, so that the run
 * stays open.
 */
export const joinExtensions = (writer: Writer, seq: number): void => {
  const { db } = writer
  const kept = db.all<Kept>('SELECT run, job, secrets FROM extension WHERE seq = ? ORDER BY position', seq)
  const run = kept[0] && readRun(db, kept[0][0])
  if (!run) return
  if (run.endReason !== null) {
    dropExtensions(writer, seq)
    return
  }
  const jobs = kept.map(([, job, secrets]) => {
    const [row, ...others] = JSON.parse(job)
    return [row, secrets, ...others] as unknown as SubmittedJobRow
  })
  insertWaitingItems(
    writer,
    { workspace: run.workspace, run: run.seq, jobs },
    run.paused ? 'run_paused' : 'run_concurrency',
  )
  db.run('UPDATE run SET items = items + ? WHERE seq = ?', jobs.length, run.seq)
  dropExtensions(writer, seq)
  writer.runs.note(run.seq)
}

/** The attempt that added them did not complete, or they have joined. */
export const dropExtensions = ({ db }: Writer, seq: number): void => {
  db.run('DELETE FROM extension WHERE seq = ?', seq)
}

export const restartTimeout = ({ db, now }: Writer, which: WhichAttempt) => {
  const job = findAttempt(db, which)
  if (typeof job === 'string') return job
  db.run('UPDATE live SET restarted_at = ?, restarted_attempt = ? WHERE seq = ?', now, which.attempt, job.seq)
  return 'restarted'
}

/** Milliseconds since the restart. If the clock was set back it returns 0: the attempt gets its full time again. */
export const findTimeoutRestart = (
  { db, now }: Reader,
  { jobId, attempt }: { jobId: string; attempt: number },
): number | null => {
  const found = db.get<[number]>(
    `SELECT live.restarted_at FROM job JOIN live USING (seq)
     WHERE job.id = ?1 AND live.attempt = ?2 AND live.restarted_attempt = ?2`,
    jobId,
    attempt,
  )
  return found ? Math.max(0, now - found[0]) : null
}
