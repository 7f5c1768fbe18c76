import type { SkipReason, Slot } from '../../../model/workflow.ts'
import { type Counted, countStretch } from '../count-stretch.ts'
import type { Database } from '../database.ts'
import { pageOf } from '../page.ts'
import type { Reader } from '../reader.ts'
import type { Writer } from '../writer.ts'
import { findOwnWorkflow } from './workflow-state.ts'

type Skipped = {
  readonly first: number
  readonly last: number
  readonly count: number
  readonly reason: SkipReason
}

/** Records slots that did not run. Extends the preceding row if its slots were skipped for the same reason. */
export const recordSkipped = ({ db, now }: Writer, workflow: number, { first, last, count, reason }: Skipped): void => {
  const before = db.get<[slot: number, reason: string | null]>(
    'SELECT slot, reason FROM slot WHERE workflow = ? AND slot < ? ORDER BY slot DESC LIMIT 1',
    workflow,
    first,
  )
  if (before?.[1] === reason)
    db.run(
      'UPDATE slot SET last_slot = ?, count = count + ?, recorded_at = ? WHERE workflow = ? AND slot = ?',
      last,
      count,
      now,
      workflow,
      before[0],
    )
  else
    db.run(
      `INSERT INTO slot (workflow, slot, last_slot, count, outcome, reason, recorded_at) VALUES (?, ?, ?, ?, 'skipped', ?, ?)
       ON CONFLICT DO NOTHING`,
      workflow,
      first,
      last,
      count,
      reason,
      now,
    )
}

/** Whether this slot was already handled: the cursor may have been set back. */
export const isRecorded = (db: Database, workflow: number, slot: number): boolean =>
  (db.get<[number]>(
    'SELECT last_slot FROM slot WHERE workflow = ? AND slot <= ? ORDER BY slot DESC LIMIT 1',
    workflow,
    slot,
  )?.[0] ?? Number.NEGATIVE_INFINITY) >= slot

export const recordFired = ({ db, now }: Writer, workflow: number, slot: number, runId: string): void => {
  db.run(
    `INSERT INTO slot (workflow, slot, last_slot, count, outcome, run_id, recorded_at) VALUES (?1, ?2, ?2, 1, 'fired', ?3, ?4)`,
    workflow,
    slot,
    runId,
    now,
  )
}

/** Marks the slot of a run that was replaced before it started as skipped. Returns when the slot was recorded; null: its record was purged. */
export const recordReplaced = (db: Database, workflow: number, run: { seq: number; id: string }): number | null =>
  db.get<[number]>(
    `UPDATE slot SET outcome = 'skipped', reason = 'overlap', run_id = NULL
     WHERE workflow = ?1 AND slot = (SELECT scheduled_at FROM run WHERE seq = ?2) AND run_id = ?3 RETURNING recorded_at`,
    workflow,
    run.seq,
    run.id,
  )?.[0] ?? null

type List = {
  readonly workspace: string
  readonly workflow: string
  readonly before: number | null
  readonly limit: number
}

export const listSlots = ({ db }: Reader, { workspace, workflow, before, limit }: List) => {
  const found = findOwnWorkflow(db, workspace, workflow)
  if (!found) return null
  const rows = db.all<unknown[]>(
    `SELECT slot, last_slot, count, outcome, reason, run_id, recorded_at FROM slot
     WHERE workflow = ? AND slot < ? ORDER BY slot DESC LIMIT ?`,
    found.seq,
    before ?? Number.MAX_SAFE_INTEGER,
    limit + 1,
  )
  const slots = rows.map(
    ([slot, lastSlot, count, outcome, reason, runId, recordedAt]) =>
      ({ slot, lastSlot, count, outcome, reason, runId, recordedAt }) as Slot,
  )
  return pageOf(slots, limit, ({ slot }) => slot)
}

export const countSlots = ({ db }: Reader, { workspace, workflow, before }: Omit<List, 'limit'>): Counted => {
  const found = findOwnWorkflow(db, workspace, workflow)
  return countStretch(db, {
    from: 'slot',
    position: 'slot',
    within: { sql: 'workflow = ?', values: [found?.seq ?? null] },
    condition: { sql: '1', values: [] },
    before,
  })
}
