import type { Exit } from '../../../model/outcome.ts'
import type { EndAttempt } from '../../store.ts'
import { sumLateEnds } from '../analytics/sums.ts'
import type { Database } from '../database.ts'
import { findExtended, joinExtensions } from '../runs/extensions.ts'
import { writeDeliveries } from '../sinks/deliveries.ts'
import type { Writer } from '../writer.ts'
import { EVENT_SQL, type EventRow, seqOfToken, subjectOf } from './live-job.ts'
import { insertResult } from './results.ts'

/** Not worthwhile for fewer. */
const FEWEST = 4

/**
 * Ends those attempts of a batch that simply completed, as nearly all do, with three statements in total; one by one they cost twice as much.
 * Results, sinks and runs cost extra, but only for jobs that have them. Returns the ends it applied and leaves the others untouched. The caller
 * settles runs.
 */
export const completeTogether = (writer: Writer, ends: readonly EndAttempt[]): ReadonlySet<EndAttempt> => {
  const plain = plainEnds(ends)
  if (plain.size < FEWEST) return new Set()
  const held = findHeld(writer.db, plain)
  for (const { exit, seqs } of byExit(held)) moveToEnded(writer, exit, JSON.stringify(seqs))
  for (const { about } of held) writer.effects.event(subjectOf(about), 'completed', null, writer.now)
  for (const { seq, end } of held) if (resultOf(end)) insertResult(writer, seq, resultOf(end)!)
  for (const { seq, sinks, about } of held)
    if (sinks !== null) writeDeliveries(writer, { seq, ...subjectOf(about) }, sinks, 'completed')
  noteItems(writer, held)
  sumLateEnds(
    writer,
    held.map(({ seq }) => seq),
  )
  return new Set(held.map(({ end }) => end))
}

const resultOf = ({ end }: EndAttempt) => (end.type === 'complete' ? end.result : null)

const noteItems = (writer: Writer, held: readonly Held[]): void => {
  const items = held.filter(({ run }) => run !== null)
  if (items.length === 0) return
  for (const { run } of items) writer.runs.note(run!, 'completed')
  const extended = findExtended(
    writer.db,
    items.map(({ seq }) => seq),
  )
  for (const seq of extended) joinExtensions(writer, seq)
}

/** Keyed by job position. Only the first of several ends of one job can be included. */
const plainEnds = (ends: readonly EndAttempt[]): ReadonlyMap<number, EndAttempt> => {
  const seen = new Set<number>()
  const plain = new Map<number, EndAttempt>()
  for (const end of ends) {
    const seq = seqOfToken(end.lease.leaseToken)
    if (seq === null || seen.has(seq)) continue
    seen.add(seq)
    if (end.end.type === 'complete' && end.end.statistics === null && end.log.length === 0) plain.set(seq, end)
  }
  return plain
}

type Held = {
  readonly seq: number
  readonly end: EndAttempt
  readonly exit: Exit
  readonly run: number | null
  readonly sinks: string | null
  readonly about: EventRow
}

const HELD_SQL = `SELECT live.seq, live.attempt, live.lease_token, live.run, job.sinks, ${EVENT_SQL}
  FROM json_each(?) AS plain CROSS JOIN live ON live.seq = plain.value CROSS JOIN job ON job.seq = live.seq
  WHERE live.status = 'running' AND live.exclusive_key IS NULL`

type HeldRow = [seq: number, attempt: number, leaseToken: string, run: number | null, sinks: string | null, ...EventRow]

/** The ends whose lease is held. */
const findHeld = (db: Database, plain: ReadonlyMap<number, EndAttempt>): readonly Held[] => {
  const rows = db.all<HeldRow>(HELD_SQL, JSON.stringify([...plain.keys()]))
  return rows.flatMap(([seq, attempt, leaseToken, run, sinks, ...about]) => {
    const end = plain.get(seq)!
    const { lease } = end
    const isHeld = lease.attempt === attempt && lease.leaseToken === leaseToken && lease.jobId === about[0]
    return isHeld ? [{ seq, end, exit: end.end.exit, run, sinks, about }] : []
  })
}

const byExit = (held: readonly Held[]): readonly { exit: Exit; seqs: readonly number[] }[] => {
  const groups = new Map<string, { exit: Exit; seqs: number[] }>()
  for (const { seq, exit } of held) {
    const key = `${exit.exitCode} ${exit.signal}`
    const group = groups.get(key) ?? { exit, seqs: [] }
    groups.set(key, group)
    group.seqs.push(seq)
  }
  return [...groups.values()]
}

const INSERT_ENDED = `INSERT INTO ended (seq, workspace, status, log, queued_at, started_at, finished_at, attempt,
    user_failures, system_failures, worker_id, exit_code, signal, progress)
  SELECT live.seq, live.workspace, 'completed', iif(live.next_log_seq > 1, 'kept', 'none'), live.queued_at, live.started_at, ?,
    live.attempt, live.user_failures, live.system_failures, live.worker_id, ?, ?, live.progress
  FROM json_each(?) AS done CROSS JOIN live ON live.seq = done.value`

const moveToEnded = ({ db, now }: Writer, { exitCode, signal }: Exit, seqs: string): void => {
  db.run(INSERT_ENDED, now, exitCode, signal, seqs)
  db.run('DELETE FROM live WHERE seq IN (SELECT value FROM json_each(?))', seqs)
}
