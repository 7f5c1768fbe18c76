import { hourOf, type Sum } from '../analytics/add-sums.ts'
import type { Statement } from '../database.ts'
import type { Work } from '../locks.ts'
import { settle } from '../runs/settle.ts'
import { beginTermination } from '../runs/terminate-runs.ts'
import type { Decided, Planned } from './fire.ts'

/** Excludes runs triggered for later: they have not begun. */
const FIND_OPEN: Statement = {
  name: 'find_runs_to_replace',
  text: `
    SELECT id, workflow_id, phase, scheduled_at
    FROM millrace.run
    WHERE workflow_id = ANY ($1::text[]) AND phase IN ('pending', 'running') AND end_reason IS NULL
      AND status_reason IS DISTINCT FROM 'scheduled'`,
}

type OpenRow = {
  readonly id: string
  readonly workflow_id: string
  readonly phase: 'pending' | 'running'
  readonly scheduled_at: number | null
}

const FIND_WORKING: Statement = {
  name: 'find_replaced_runs_that_work',
  text: `SELECT DISTINCT workflow_id FROM millrace.run WHERE workflow_id = ANY ($1::text[]) AND phase = 'running'`,
}

/** The slots of runs that never started count as skipped after all, in the hour they were recorded. */
const SKIP: Statement = {
  name: 'skip_replaced_slots',
  text: `
    UPDATE millrace.slot
    SET outcome = 'skipped', reason = 'overlap', run_id = NULL
    FROM unnest($1::text[], $2::bigint[], $3::text[]) AS i (workflow_id, slot, run_id)
    WHERE slot.workflow_id = i.workflow_id AND slot.slot = i.slot AND slot.run_id = i.run_id
    RETURNING slot.workflow_id, slot.recorded_at`,
}

type Replaced = { readonly decided: readonly Decided[]; readonly sums: readonly Sum[] }

/**
 * `cancel_previous`. Requires the workflow locks. Terminates the open runs of workflows whose new slot replaces them; if a replaced run is still
 * stopping, the new one waits for its end. The caller adds `sums` to those of the fires.
 */
export const replaceRuns = async (work: Work, planned: readonly Planned[]): Promise<Replaced> => {
  const replacing = planned.filter(({ decision }) => decision.type === 'replaces').map(({ fire }) => fire)
  const workflows = replacing.map(fire => fire.workflowId)
  if (workflows.length === 0) return { decided: planned.map(one => decideFor(one, NONE)), sums: [] }
  const open = await work.connection.query<OpenRow>(FIND_OPEN, [workflows])
  const runs = open.map(run => run.id)
  work.locks.need({ runs })
  await beginTermination(work, runs, { reason: 'replaced', graceMs: null })
  await settle(work)
  const working = await work.connection.query<{ workflow_id: string }>(FIND_WORKING, [workflows])
  const busy = new Set(working.map(row => row.workflow_id))
  const neverStarted = open.filter(run => run.phase === 'pending')
  return {
    decided: planned.map(one => decideFor(one, busy)),
    sums: await skipSlots(work, neverStarted, new Map(replacing.map(fire => [fire.workflowId, fire.workspace]))),
  }
}

const NONE: ReadonlySet<string> = new Set()

const decideFor = ({ decision, ...rest }: Planned, busy: ReadonlySet<string>): Decided => ({
  ...rest,
  decision: decision.type !== 'replaces' ? decision : { type: busy.has(rest.fire.workflowId) ? 'waiting' : 'fired' },
})

const skipSlots = async (
  { connection }: Work,
  runs: readonly OpenRow[],
  workspaceOf: ReadonlyMap<string, string>,
): Promise<readonly Sum[]> => {
  if (runs.length === 0) return []
  const rows = await connection.query<{ workflow_id: string; recorded_at: number }>(SKIP, [
    runs.map(run => run.workflow_id),
    runs.map(run => run.scheduled_at),
    runs.map(run => run.id),
  ])
  return rows.flatMap(({ workflow_id: workflowId, recorded_at: recordedAt }): Sum[] => {
    const key = { workspace: workspaceOf.get(workflowId)!, workflowId, hour: hourOf(recordedAt), bucket: 0 }
    return [
      { ...key, measure: 'slots_fired', amount: -1 },
      { ...key, measure: 'slots_skipped', amount: 1 },
    ]
  })
}
