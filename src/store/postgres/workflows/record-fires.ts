import { bucketOf } from '../../../model/histogram.ts'
import type { SkipReason } from '../../../model/workflow.ts'
import { addSums, hourOf, type Sum } from '../analytics/add-sums.ts'
import type { Statement } from '../database.ts'
import type { Work } from '../locks.ts'
import type { Decided } from './fire.ts'
import { timingValues } from './workflow-rows.ts'

/** Requires the workflow's lock. Advances its cursor. */
const MOVE: Statement = {
  name: 'move_cursors',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now)
    UPDATE millrace.workflow
    SET cursor = i.cursor, next_slot = i.next_slot, fire_at = i.fire_at,
      last_run_at = CASE WHEN i.starts THEN clock.now ELSE workflow.last_run_at END
    FROM clock, unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::boolean[])
      AS i (id, cursor, next_slot, fire_at, starts)
    WHERE workflow.id = i.id
    RETURNING clock.now`,
}

/** The newest slot of each workflow. */
const NEWEST: Statement = {
  name: 'newest_slots',
  text: `
    SELECT w.id, newest.slot, newest.reason
    FROM unnest($1::text[]) AS w (id)
    CROSS JOIN LATERAL (
      SELECT slot, reason FROM millrace.slot WHERE slot.workflow_id = w.id ORDER BY slot DESC LIMIT 1
    ) AS newest`,
}

/** An existing row is extended if its slots were skipped for the same reason; it is then the newest of its workflow. */
const RECORD: Statement = {
  name: 'record_slots',
  text: `
    INSERT INTO millrace.slot (workflow_id, slot, last_slot, count, outcome, reason, run_id, recorded_at)
    SELECT *, $8::bigint
    FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::integer[], $5::text[], $6::text[], $7::text[])
    ON CONFLICT (workflow_id, slot) DO UPDATE
    SET last_slot = excluded.last_slot, count = slot.count + excluded.count, recorded_at = excluded.recorded_at
    WHERE slot.outcome = 'skipped' AND slot.reason = excluded.reason AND excluded.last_slot > slot.last_slot`,
}

type Row = {
  readonly workflowId: string
  readonly slot: number
  lastSlot: number
  count: number
  readonly reason: SkipReason | null
  readonly runId: string | null
}

/** Records the slots of fires that were not lost, adds them and `sums` to the hourly sums, and advances the cursors. */
export const recordFires = async (
  { connection, now }: Work,
  decided: readonly Decided[],
  sums: readonly Sum[],
): Promise<void> => {
  const kept = decided.filter(({ decision }) => decision.type !== 'lost')
  if (kept.length === 0) return
  const ids = kept.map(({ fire }) => fire.workflowId)
  const [moved] = await connection.query<{ now: number }>(MOVE, [now, ids, ...cursorColumns(kept)])
  const recordedAt = moved!.now
  const newest = await connection.query<{ id: string; slot: number; reason: SkipReason | null }>(NEWEST, [ids])
  const newestOf = new Map(newest.map(row => [row.id, row]))
  const rows = kept.flatMap(one => slotRows(one, newestOf.get(one.fire.workflowId)))
  await connection.query(RECORD, [...slotColumns(rows), recordedAt])
  await addSums(connection, [...sums, ...kept.flatMap(one => sumsOf(one, recordedAt))])
}

const cursorColumns = (kept: readonly Decided[]): unknown[][] => {
  const timings = kept.map(({ fire }) => timingValues(fire.timing))
  return [
    timings.map(([cursor]) => cursor),
    timings.map(([, nextSlot]) => nextSlot),
    timings.map(([, , fireAt]) => fireAt),
    kept.map(({ decision }) => decision.type === 'fired'),
  ]
}

/** Merges adjacent slots skipped for the same reason into one row, including the newest row already recorded. */
const slotRows = (
  { fire, decision, workflow }: Decided,
  newest: { readonly slot: number; readonly reason: SkipReason | null } | undefined,
): readonly Row[] => {
  const { workflowId, slot } = fire
  const rows: Row[] = []
  const skip = (first: number, last: number, count: number, reason: SkipReason) => {
    const before = rows.at(-1)
    if (before?.reason === reason) {
      before.lastSlot = last
      before.count += count
    } else {
      const grows = before === undefined && newest?.reason === reason
      rows.push({ workflowId, slot: grows ? newest.slot : first, lastSlot: last, count, reason, runId: null })
    }
  }
  for (const { first, last, count, reason } of fire.skipped)
    skip(first, last, count, workflow?.state === 'paused' ? 'paused' : reason)
  if (slot === null) return rows
  if (decision.type !== 'skipped')
    rows.push({ workflowId, slot, lastSlot: slot, count: 1, reason: null, runId: fire.run!.id })
  else if (decision.reason !== null) skip(slot, slot, 1, decision.reason)
  return rows
}

const slotColumns = (rows: readonly Row[]): unknown[][] => [
  rows.map(row => row.workflowId),
  rows.map(row => row.slot),
  rows.map(row => row.lastSlot),
  rows.map(row => row.count),
  rows.map(row => (row.reason === null ? 'fired' : 'skipped')),
  rows.map(row => row.reason),
  rows.map(row => row.runId),
]

const sumsOf = ({ fire, decision, workflow }: Decided, at: number): readonly Sum[] => {
  const { workspace, workflowId, slot } = fire
  const key = { workspace, workflowId, hour: hourOf(at) }
  const isFired = decision.type === 'fired' || decision.type === 'waiting'
  const isSkipped = decision.type === 'skipped' && decision.reason !== null && slot !== null
  const skipped = fire.skipped.reduce((sum, { count }) => sum + count, 0) + (isSkipped ? 1 : 0)
  const sums: Sum[] = []
  if (skipped > 0) sums.push({ ...key, measure: 'slots_skipped', bucket: 0, amount: skipped })
  if (!isFired || slot === null) return sums
  // The due time with jitter is known only for the workflow's next slot; for a slot being caught up, use the slot itself.
  const due = workflow?.next_slot === slot ? workflow.fire_at! : slot
  const bucket = bucketOf(Math.max(0, at - due))
  return [
    ...sums,
    { ...key, measure: 'slots_fired', bucket: 0, amount: 1 },
    { ...key, measure: 'lateness', bucket, amount: 1 },
  ]
}
