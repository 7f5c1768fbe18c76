import type { Run } from '../../../model/workflow.ts'
import type { Store } from '../../store.ts'
import { storable } from '../array-literal.ts'
import type { Queryable, Statement } from '../database.ts'
import type { Parameters as QueryParameters } from '../filters.ts'
import { BODY_COLUMNS, SCOPES_COLUMN } from '../jobs/job-rows.ts'
import { type SubmissionRow, toSubmission } from '../jobs/read-job.ts'
import { countRows, readPage } from '../page.ts'
import { RUN_COLUMNS, RUN_TABLES, type RunRow, SNAPSHOT_TABLE, STATUS_COLUMN, toRun } from './run-rows.ts'

export type RunKey = { readonly workspace: string; readonly runId: string }

const GET_RUN: Statement = {
  name: 'get_run',
  text: `
    SELECT ${RUN_COLUMNS}, snapshot.definition AS snapshot
    FROM ${RUN_TABLES} ${SNAPSHOT_TABLE}
    WHERE run.id = $1 AND run.workspace = $2`,
}

/** Implements `getRun`. */
export const getRun = async (target: Queryable, { workspace, runId }: RunKey): Promise<Run | null> => {
  const [row] = await target.query<RunRow>(GET_RUN, [storable(runId), workspace])
  return row ? toRun(row) : null
}

/** Implements `listRuns`. Omits the snapshots: a page of them could take gigabytes. */
export const listRuns = async (
  target: Queryable,
  { filters, ...input }: Parameters<Store['listRuns']>[0],
): ReturnType<Store['listRuns']> => {
  const asked = { ...input, filters: { list: 'runs', ...filters } }
  const write = queryOf({ workspace: input.workspace, filters })
  const page = await readPage<RunRow>(target, asked, write(`${RUN_COLUMNS}, '' AS snapshot`, RUN_TABLES))
  return { runs: page.rows.map(toRun), nextCursor: page.nextCursor }
}

/** Implements `countRuns`. */
export const countRuns = (target: Queryable, input: Parameters<Store['countRuns']>[0]): Promise<number> =>
  countRows(target, queryOf(input)(`${STATUS_COLUMN} AS status`, 'millrace.run'))

const queryOf =
  ({ workspace, filters }: Parameters<Store['countRuns']>[0]) =>
  (columns: string, tables: string) =>
  (parameters: QueryParameters, below: string) => {
    const { status, workflowId, trigger, createdAfter, createdBefore } = filters
    return `
    SELECT *
    FROM (
      SELECT ${columns} FROM ${tables}
      WHERE run.workspace = ${parameters.add(workspace)} AND run.position < ${below}
        ${status ? `AND run.phase = ANY (${parameters.add(status.flatMap(phasesOf))}::text[])` : ''}
        ${workflowId === undefined ? '' : `AND run.workflow_id = ${parameters.add(storable(workflowId))}`}
        ${trigger === undefined ? '' : `AND run.trigger = ${parameters.add(trigger)}`}
        ${createdAfter === undefined ? '' : `AND run.created_at > ${parameters.add(createdAfter)}::bigint`}
        ${createdBefore === undefined ? '' : `AND run.created_at < ${parameters.add(createdBefore)}::bigint`}
    ) AS run
    WHERE ${status ? `status = ANY (${parameters.add(status)}::text[])` : 'true'}`
  }

/** The stored phases behind a displayed status. */
const phasesOf = (status: Run['status']): readonly string[] =>
  status === 'pausing' || status === 'paused' ? ['pending', 'running'] : [status]

const FAILED_ITEMS: Statement = {
  name: 'list_failed_items',
  text: `
    SELECT ${BODY_COLUMNS}, ${SCOPES_COLUMN}, j.secrets
    FROM millrace.job AS j
    JOIN millrace.ended AS e ON e.id = j.id AND e.status = 'failed'
    WHERE j.workspace = $1 AND j.run_id = $2
    ORDER BY j.sequence`,
}

/** Implements `listFailedItems`. */
export const listFailedItems = async (target: Queryable, key: RunKey): ReturnType<Store['listFailedItems']> => {
  const run = await getRun(target, key)
  if (!run) return null
  const rows = await target.query<SubmissionRow>(FAILED_ITEMS, [key.workspace, key.runId])
  return { run, items: rows.map(toSubmission) }
}
