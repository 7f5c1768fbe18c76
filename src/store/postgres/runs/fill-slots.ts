import { arrayLiteral } from '../array-literal.ts'
import type { Statement } from '../database.ts'
import { takenKeys, type WorkspaceKey } from '../jobs/exclusive-keys.ts'
import type { EventRow } from '../jobs/job-rows.ts'
import type { Work } from '../locks.ts'
import type { RunChanges } from './run-changes.ts'

/** The columns of a run that a fill needs. */
const STATE = `run.id, run.workspace, run.workflow_id, run.phase, run.paused, run.end_reason, run.max_concurrent,
        run.items - run.completed - run.failed - run.cancelled AS items_left`

/**
 * Requires the run locks, taken by an earlier statement: only then does this one see what others have ended and queued. Counts the occupied slots and
 * queues as many waiting items as there are free ones. Items with an exclusive key are only found: they also need the key. `state` selects the runs.
 */
const fillText = (state: string): string => `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    state AS (${state}),
    room AS MATERIALIZED (
      SELECT state.id, state.max_concurrent - (
          SELECT count(*) FROM millrace.live
          WHERE live.item_of = state.id AND live.status IN ('queued', 'running', 'cancelling')
        ) AS free
      FROM state
      WHERE state.phase = 'running' AND NOT state.paused AND state.end_reason IS NULL
    ),
    next AS MATERIALIZED (
      SELECT waiting.*
      FROM room
      CROSS JOIN LATERAL (
        SELECT live.ctid AS place, live.id, live.workspace, live.exclusive_key, live.item_of
        FROM millrace.live
        WHERE live.item_of = room.id AND live.status = 'pending' AND live.status_reason = 'run_concurrency'
        ORDER BY live.priority DESC, live.sequence
        LIMIT greatest(room.free, 0)
        FOR UPDATE
      ) AS waiting
    ),
    queued AS (
      UPDATE millrace.live
      SET status = 'queued', status_reason = NULL, queued_at = clock.now, updated_at = clock.now
      FROM clock
      WHERE live.ctid = ANY (ARRAY(SELECT place FROM next WHERE exclusive_key IS NULL))
      RETURNING live.id, live.workspace, live.kind, live.run_id, live.workflow_id, live.parent_job_id
    )
    SELECT 'run' AS what, id, workspace, NULL AS kind, id AS run_id, workflow_id, NULL AS parent_job_id,
      NULL AS exclusive_key, phase, paused, items_left, clock.now
    FROM state, clock
    UNION ALL
    SELECT 'queued', id::text, workspace, kind, run_id, workflow_id, parent_job_id, NULL, NULL, NULL, NULL, clock.now
    FROM queued, clock
    UNION ALL
    SELECT 'keyed', id::text, workspace, NULL, item_of, NULL, NULL, exclusive_key, NULL, NULL, NULL, clock.now
    FROM next, clock
    WHERE exclusive_key IS NOT NULL`

const FILL: Statement = {
  name: 'fill_slots',
  text: fillText(`SELECT ${STATE} FROM millrace.run WHERE run.id = ANY ($2::text[])`),
}

const COUNT_AND_FILL: Statement = {
  name: 'count_and_fill_slots',
  text: fillText(`
      UPDATE millrace.run
      SET completed = run.completed + d.completed, failed = run.failed + d.failed,
        cancelled = run.cancelled + d.cancelled, items = run.items + d.added
      FROM unnest($2::text[], $3::integer[], $4::integer[], $5::integer[], $6::integer[])
        AS d (id, completed, failed, cancelled, added)
      WHERE run.id = d.id
      RETURNING ${STATE}`),
}

export type FilledRow = Omit<EventRow, 'status' | 'status_reason'> & {
  readonly what: 'run' | 'queued' | 'keyed'
  readonly exclusive_key: string
  readonly phase: 'pending' | 'running' | 'completed' | 'failed' | 'terminated'
  readonly paused: boolean
  readonly items_left: number
}

/** A run after its items were counted. */
export type CountedRun = {
  readonly id: string
  readonly workflowId: string
  readonly isOpen: boolean
  readonly paused: boolean
  readonly itemsLeft: number
}

/**
 * Moves items from `pending` (`run_concurrency`) to `queued`, and returns the resulting state of the runs. `filled` are rows of runs already filled
 * by `fillRuns`.
 */
export const fillSlots = async (
  work: Work,
  changes: RunChanges,
  filled: readonly FilledRow[] = [],
): Promise<readonly CountedRun[]> => {
  const changed = new Set(changes.entries().map(([id]) => id))
  const rows = [...(await countAndFill(work, changes)), ...filled.filter(row => !changed.has(row.run_id!))]
  let keyed = rows.filter(row => row.what === 'keyed')
  // Items whose key is taken give up their slot, and others may use it.
  while (keyed.length > 0 && (await queueKeyed(work, keyed)) < keyed.length) {
    const runIds = [...new Set(keyed.map(row => row.run_id!))]
    keyed = (await fillRuns(work, runIds)).filter(row => row.what === 'keyed')
  }
  return rows.filter(row => row.what === 'run').map(toCountedRun)
}

/** Fills the slots of runs whose items are already counted. */
export const fillRuns = async (work: Work, runIds: readonly string[]): Promise<readonly FilledRow[]> => {
  if (runIds.length === 0) return []
  return noteQueued(work, await work.connection.query<FilledRow>(FILL, [work.now, arrayLiteral(runIds, id => id)]))
}

const countAndFill = async (work: Work, changes: RunChanges): Promise<readonly FilledRow[]> => {
  if (changes.isEmpty) return []
  const entries = changes.entries()
  const rows = await work.connection.query<FilledRow>(COUNT_AND_FILL, [
    work.now,
    arrayLiteral(entries, ([id]) => id),
    arrayLiteral(entries, ([, change]) => change.completed),
    arrayLiteral(entries, ([, change]) => change.failed),
    arrayLiteral(entries, ([, change]) => change.cancelled),
    arrayLiteral(entries, ([, change]) => change.added),
  ])
  return noteQueued(work, rows)
}

const noteQueued = ({ effects }: Work, rows: readonly FilledRow[]): readonly FilledRow[] => {
  for (const row of rows)
    if (row.what === 'queued') effects.jobs.push({ ...row, status: 'queued', status_reason: null })
  return rows
}

const toCountedRun = (row: FilledRow): CountedRun => ({
  id: row.id,
  workflowId: row.workflow_id!,
  isOpen: row.phase === 'pending' || row.phase === 'running',
  paused: row.paused,
  itemsLeft: row.items_left,
})

const MOVE: Statement = {
  name: 'move_keyed_items',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    held AS (UPDATE millrace.live SET status_reason = 'exclusive_key' WHERE id = ANY ($3::uuid[]))
    UPDATE millrace.live
    SET status = 'queued', status_reason = NULL, queued_at = clock.now, updated_at = clock.now
    FROM clock
    WHERE live.id = ANY ($2::uuid[])
    RETURNING live.id, live.workspace, live.kind, live.run_id, live.workflow_id, live.parent_job_id, live.status,
      live.status_reason, clock.now`,
}

type Keyed = Pick<FilledRow, 'id' | 'workspace' | 'exclusive_key'>

/** Items that have a slot and need a key: queues those that get the key, the others wait for it. Returns the number queued. */
const queueKeyed = async ({ connection, locks, effects, now }: Work, items: readonly Keyed[]): Promise<number> => {
  const keys = items.map(keyOf)
  locks.need({ keys })
  const { taken } = await takenKeys(connection, keys, now)
  const queued: string[] = []
  const held: string[] = []
  for (const item of items) {
    const name = JSON.stringify([item.workspace, item.exclusive_key])
    if (taken.has(name)) held.push(item.id)
    else queued.push(item.id)
    taken.add(name)
  }
  const rows = await connection.query<EventRow>(MOVE, [now, queued, held])
  effects.jobs.push(...rows)
  return rows.length
}

const keyOf = ({ workspace, exclusive_key }: Keyed): WorkspaceKey => ({ workspace, exclusiveKey: exclusive_key })
