import type { Database } from '../database.ts'
import type { Reader } from '../reader.ts'
import type { Writer } from '../writer.ts'
import { HourTotals } from './hour-totals.ts'

/**
 * How far ended jobs have been summed, in order of (`finished_at`, `seq`). The single writer commits ends in clock order, so nothing is added below a
 * mark in the past unless the clock was set back. Such an end is summed by the transaction that writes it.
 */
export type SumMark = { readonly at: number; readonly seq: number }

const MARK = 'summed_until'

const readSumMark = ({ db }: { readonly db: Database }): SumMark => {
  const [text] = db.get<[string]>('SELECT value FROM setting WHERE name = ?', MARK) ?? ['0 0']
  const [at, seq] = text.split(' ').map(Number)
  return { at: at!, seq: seq! }
}

const markOf = (writer: Writer): SumMark => {
  writer.memory.sumMark ??= readSumMark(writer)
  return writer.memory.sumMark
}

const isSummed = (mark: SumMark, finishedAt: number, seq: number): boolean =>
  finishedAt < mark.at || (finishedAt === mark.at && seq <= mark.seq)

/** Ended jobs with the values to sum. A job that ended between two attempts, or before the first, has no durations. */
const ENDED_SQL = `ended.finished_at, job.workspace, coalesce(job.workflow_id, ''), ended.status,
  iif(ended.log = 'kept', (SELECT max(last_seq) FROM log_part WHERE log_part.seq = ended.seq), 0),
  iif(ended.worker_id IS NOT NULL, ended.started_at - ended.queued_at, NULL),
  iif(ended.worker_id IS NOT NULL, ended.finished_at - ended.started_at, NULL)`

/** Advances the mark. Ends of the current millisecond may be incomplete and are left to the next call. */
export const summarize = (writer: Writer, { limit }: { limit: number }): number => {
  const { db, now } = writer
  const mark = markOf(writer)
  const next = db.all<[finishedAt: number, seq: number]>(
    `SELECT finished_at, seq FROM ended WHERE (finished_at, seq) > (?, ?) AND finished_at < ?
     ORDER BY finished_at, seq LIMIT ?`,
    mark.at,
    mark.seq,
    now,
    limit,
  )
  const last = next.at(-1)
  if (!last) return 0
  addToSums(
    db,
    next.map(([, seq]) => seq),
  )
  const [at, seq] = last
  db.run('INSERT INTO setting VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value', MARK, `${at} ${seq}`)
  writer.memory.sumMark = { at, seq }
  return next.length
}

/** Sums just-ended jobs that fall below the mark. Nearly always a single comparison, because their time is above the mark. */
export const sumLateEnds = (writer: Writer, seqs: readonly number[]): void => {
  const mark = markOf(writer)
  if (writer.now > mark.at) return
  addToSums(
    writer.db,
    seqs.filter(seq => isSummed(mark, writer.now, seq)),
  )
}

/** Adds jobs about to be purged to the sums if they are not yet included. */
export const sumBeforePurge = (
  writer: Writer,
  ended: readonly (readonly [seq: number, finishedAt: number])[],
): void => {
  const mark = markOf(writer)
  addToSums(
    writer.db,
    ended.flatMap(([seq, finishedAt]) => (isSummed(mark, finishedAt, seq) ? [] : [seq])),
  )
}

const addToSums = (db: Database, seqs: readonly number[]): void => {
  if (seqs.length === 0) return
  const totals = new HourTotals()
  const rows = db.all(
    `SELECT ${ENDED_SQL} FROM json_each(?) AS at CROSS JOIN ended ON ended.seq = at.value CROSS JOIN job ON job.seq = ended.seq`,
    JSON.stringify(seqs),
  )
  for (const row of rows) totals.addEnded(row)
  totals.write(db)
}

type SlotSums = {
  readonly workspace: string
  readonly workflowId: string
  readonly fired: number
  readonly skipped: number
  /** Lateness of the slot that fired, in ms. */
  readonly lateness: number | null
}

/** Slots are few compared to jobs, so they are summed as they are recorded, at that time. */
export const sumSlots = (db: Database, at: number, slots: SlotSums): void => {
  const totals = new HourTotals()
  totals.addSlots(at, slots)
  totals.write(db)
}

type Purge = { readonly hourBefore: number; readonly limit: number }

export const purgeSums = ({ db }: Writer, { hourBefore, limit }: Purge): number => {
  const old = db.all<[string, number, string]>(
    'SELECT workspace, hour, workflow_id FROM hour_sum WHERE hour < ? ORDER BY hour LIMIT ?',
    hourBefore,
    limit,
  )
  for (const key of old) {
    db.run('DELETE FROM hour_bucket WHERE workspace = ? AND hour = ? AND workflow_id = ?', ...key)
    db.run('DELETE FROM hour_sum WHERE workspace = ? AND hour = ? AND workflow_id = ?', ...key)
  }
  return old.length
}

type Read = { readonly workspace: string; readonly from: number; readonly to: number; readonly workflowId?: string }

/** Stored sums plus whatever has ended since, in one snapshot. */
export const readAnalytics = ({ db }: Reader, { workspace, from, to, workflowId }: Read) => {
  const totals = new HourTotals()
  db.run('BEGIN')
  try {
    totals.read(db, { workspace, from, to, ...(workflowId === undefined ? {} : { workflowId }) })
    const mark = readSumMark({ db })
    const of = workflowId === undefined ? ['1'] : ['job.workflow_id = ?', workflowId]
    const rows = db.all(
      `SELECT ${ENDED_SQL} FROM ended CROSS JOIN job ON job.seq = ended.seq
       WHERE (ended.finished_at, ended.seq) > (?, ?) AND ended.finished_at >= ? AND ended.finished_at < ?
         AND ended.workspace = ? AND ${of[0]}`,
      mark.at,
      mark.seq,
      from,
      to,
      workspace,
      ...of.slice(1),
    )
    for (const row of rows) totals.addEnded(row)
  } finally {
    db.run('COMMIT')
  }
  return totals.list()
}
