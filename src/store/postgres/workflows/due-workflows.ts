import type { WorkflowState } from '../../../model/workflow.ts'
import type { Store } from '../../store.ts'
import type { Statement } from '../database.ts'
import type { Session } from '../session.ts'
import { toTiming } from './workflow-rows.ts'

/** Reads one row more than asked for, to tell when the next is due. */
const LIST_DUE: Statement = {
  name: 'list_due_workflows',
  text: `
    SELECT clock.now, next.*
    FROM (SELECT millrace.clock($1::bigint) AS now) AS clock
    LEFT JOIN (
      SELECT id, workspace, version, state, cursor, next_slot, fire_at
      FROM millrace.workflow
      WHERE fire_at IS NOT NULL AND state <> 'terminated'
      ORDER BY fire_at
      LIMIT $2
    ) AS next ON true
    ORDER BY next.fire_at`,
}

type DueRow = {
  readonly now: number
  readonly id: string | null
  readonly workspace: string
  readonly version: number
  readonly state: WorkflowState
  readonly cursor: number
  readonly next_slot: number
  readonly fire_at: number
}

/** Implements `listDueWorkflows`. */
export const listDueWorkflows = async (
  session: Session,
  { limit }: { limit: number },
): ReturnType<Store['listDueWorkflows']> => {
  const rows = await session.database.query<DueRow>(LIST_DUE, [session.now(), limit + 1])
  const { now } = rows[0]!
  const next = rows.filter(row => row.id !== null)
  const due = next.slice(0, limit).filter(row => row.fire_at <= now)
  const after = next[due.length]
  return {
    due: due.map(row => ({
      id: row.id!,
      workspace: row.workspace,
      version: row.version,
      state: row.state,
      timing: toTiming(row),
    })),
    now,
    nextFireInMs: after ? Math.max(0, after.fire_at - now) : null,
  }
}
