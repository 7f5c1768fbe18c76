import { isId } from '../../../kernel/ids.ts'
import type { Workflow } from '../../../model/workflow.ts'
import { MOST_LISTED_BYTES, rowsWithin } from '../../listed-bytes.ts'
import type { Store } from '../../store.ts'
import type { LoadedWorkflow } from '../../workflow-store.ts'
import { storable } from '../array-literal.ts'
import type { Queryable, Statement } from '../database.ts'
import type { Parameters as QueryParameters } from '../filters.ts'
import { countRows, readPage } from '../page.ts'
import { toTiming, toWorkflow, WORKFLOW_COLUMNS, type WorkflowRow } from './workflow-rows.ts'

export type WorkflowKey = { readonly workspace: string; readonly workflow: string }

const SELECT = `SELECT ${WORKFLOW_COLUMNS}, workflow.secrets FROM millrace.workflow`
const BY_ID: Statement = { name: 'get_workflow', text: `${SELECT} WHERE workspace = $1 AND id = $2` }
const BY_NAME: Statement = { name: 'get_workflow_by_name', text: `${SELECT} WHERE workspace = $1 AND name = $2` }

type LoadedRow = WorkflowRow & { readonly secrets: Uint8Array | null }

/** By id or name; no name looks like an id. */
export const findWorkflow = async (
  target: Queryable,
  { workspace, workflow }: WorkflowKey,
): Promise<LoadedRow | undefined> => {
  const [row] = await target.query<LoadedRow>(isId(workflow) ? BY_ID : BY_NAME, [workspace, storable(workflow)])
  return row
}

/** Implements `getWorkflow`. */
export const getWorkflow = async (target: Queryable, key: WorkflowKey): Promise<Workflow | null> => {
  const row = await findWorkflow(target, key)
  return row ? toWorkflow(row) : null
}

/** Implements `loadWorkflow`. */
export const loadWorkflow = async (target: Queryable, key: WorkflowKey): Promise<LoadedWorkflow | null> => {
  const row = await findWorkflow(target, key)
  return row ? { ...toWorkflow(row), secrets: row.secrets, timing: toTiming(row) } : null
}

/** Implements `listWorkflows`. */
export const listWorkflows = async (
  target: Queryable,
  { filters, ...input }: Parameters<Store['listWorkflows']>[0],
): ReturnType<Store['listWorkflows']> => {
  const asked = { ...input, filters: { list: 'workflows', ...filters } }
  const write = queryOf({ workspace: input.workspace, filters })
  // Does not read the definitions: PostgreSQL knows the size of out-of-line (TOAST) values.
  type Size = { readonly position: number; readonly bytes: number }
  const sizes = await readPage<Size>(target, asked, write('position, octet_length(definition) AS bytes'))
  const limit = Math.max(
    1,
    rowsWithin(
      MOST_LISTED_BYTES,
      sizes.rows.map(row => row.bytes),
    ),
  )
  const page = await readPage<WorkflowRow>(target, { ...asked, limit }, write(WORKFLOW_COLUMNS))
  return { workflows: page.rows.map(toWorkflow), nextCursor: page.nextCursor }
}

/** Implements `countWorkflows`. */
export const countWorkflows = (target: Queryable, input: Parameters<Store['countWorkflows']>[0]): Promise<number> =>
  countRows(target, queryOf(input)('position'))

/** The column has the collation C, in which `lower` knows only ASCII. */
const queryOf =
  ({ workspace, filters: { state, query } }: Parameters<Store['countWorkflows']>[0]) =>
  (columns: string) =>
  (parameters: QueryParameters, below: string) =>
    `
    SELECT ${columns} FROM millrace.workflow
    WHERE workspace = ${parameters.add(workspace)} AND position < ${below}
      ${state ? `AND state = ANY (${parameters.add(state)}::text[])` : ''}
      ${query ? `AND strpos(lower(name COLLATE "default"), lower(${parameters.add(storable(query))})) > 0` : ''}`
