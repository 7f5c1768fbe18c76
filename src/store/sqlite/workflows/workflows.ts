import type { Workflow } from '../../../model/workflow.ts'
import { MOST_LISTED_BYTES, rowsWithin } from '../../listed-bytes.ts'
import type { LoadedWorkflow, NewWorkflow, ReplaceWorkflow, Timing, WorkflowFilters } from '../../workflow-store.ts'
import { type Counted, countStretch } from '../count-stretch.ts'
import type { Database, SqlValue } from '../database.ts'
import type { Condition } from '../jobs/job-filters.ts'
import type { Reader } from '../reader.ts'
import { listOpenRuns } from '../runs/run.ts'
import type { Writer } from '../writer.ts'
import { findOwnWorkflow } from './workflow-state.ts'

export const createWorkflow = (writer: Writer, input: NewWorkflow): Workflow | 'exists' => {
  const { db, now, effects } = writer
  const { id, workspace, name, maxConsecutiveFailures, timing } = input
  if (isTaken(db, workspace, name)) return 'exists'
  const [seq] = db.get<[number]>(
    `INSERT INTO workflow (id, workspace, name, lower_name, state, version, max_consecutive_failures, cursor, next_slot, fire_at, created_at, updated_at)
     VALUES (?, ?, ?, ?, 'active', 1, ?, ?, ?, ?, ?, ?) RETURNING seq`,
    id,
    workspace,
    name,
    name.toLowerCase(),
    maxConsecutiveFailures,
    ...timingValues(timing),
    now,
    now,
  )!
  writeDefinition(db, seq, input)
  if (timing.next) effects.hint('schedule')
  return readWorkflow(db, seq)
}

const isTaken = (db: Database, workspace: string, name: string): boolean =>
  db.get('SELECT 1 FROM workflow WHERE workspace = ? AND name = ?', workspace, name) !== undefined

export const timingValues = ({ cursor, next }: Timing): [number, number | null, number | null] => [
  cursor,
  next?.slot ?? null,
  next?.fireAt ?? null,
]

type Definition = Pick<NewWorkflow, 'definition' | 'secrets' | 'scopes'>

const writeDefinition = (db: Database, seq: number, { definition, secrets, scopes }: Definition): void => {
  db.run(
    'INSERT OR REPLACE INTO workflow_definition (seq, definition, secrets, scopes) VALUES (?, ?, ?, ?)',
    seq,
    definition,
    secrets,
    JSON.stringify(scopes),
  )
}

export const replaceWorkflow = (
  { db, now, effects }: Writer,
  input: ReplaceWorkflow,
): Workflow | 'not_found' | 'exists' | 'changed' => {
  const { workspace, name, maxConsecutiveFailures, timing } = input
  const workflow = findOwnWorkflow(db, workspace, input.workflow)
  if (!workflow) return 'not_found'
  if (workflow.version !== input.expectedVersion) return 'changed'
  if (name !== workflow.name && isTaken(db, workspace, name)) return 'exists'
  db.run(
    `UPDATE workflow SET name = ?, lower_name = ?, version = version + 1, max_consecutive_failures = ?, updated_at = ? WHERE seq = ?`,
    name,
    name.toLowerCase(),
    maxConsecutiveFailures,
    now,
    workflow.seq,
  )
  writeDefinition(db, workflow.seq, input)
  if (timing) {
    db.run(SET_TIMING, ...timingValues(timing), workflow.seq)
    effects.hint('schedule')
  }
  return readWorkflow(db, workflow.seq)
}

export const SET_TIMING = 'UPDATE workflow SET cursor = ?, next_slot = ?, fire_at = ? WHERE seq = ?'

type Which = { readonly workspace: string; readonly workflow: string }

export const deleteWorkflow = ({ db }: Writer, { workspace, workflow }: Which) => {
  const found = findOwnWorkflow(db, workspace, workflow)
  if (!found) return 'not_found'
  if (found.state === 'active') return 'active'
  if (listOpenRuns(db, found.id).length > 0) return 'has_open_runs'
  db.run('DELETE FROM slot WHERE workflow = ?', found.seq)
  db.run('DELETE FROM notification WHERE workflow_id = ?', found.id)
  db.run('DELETE FROM workflow_definition WHERE seq = ?', found.seq)
  db.run('DELETE FROM workflow WHERE seq = ?', found.seq)
  return 'deleted'
}

export const getWorkflow = ({ db }: Reader, { workspace, workflow }: Which): Workflow | null => {
  const found = findOwnWorkflow(db, workspace, workflow)
  return found ? readWorkflow(db, found.seq) : null
}

const WORKFLOW_SQL = `SELECT workflow.seq, id, workspace, name, state, version, definition, scopes, consecutive_failures,
    max_consecutive_failures, iif(state = 'active', fire_at, NULL), last_run_at, created_at, updated_at
  FROM workflow CROSS JOIN workflow_definition ON workflow_definition.seq = workflow.seq`

export const readWorkflow = (db: Database, seq: number): Workflow =>
  decode(db.get(`${WORKFLOW_SQL} WHERE workflow.seq = ?`, seq)!)

const decode = (row: readonly unknown[]): Workflow => {
  const [, id, workspace, name, state, version, definition, scopes, ...rest] = row
  const [consecutiveFailures, maxConsecutiveFailures, nextRunAt, lastRunAt, createdAt, updatedAt] = rest
  return {
    id,
    workspace,
    name,
    state,
    version,
    definition,
    scopes: JSON.parse(scopes as string),
    consecutiveFailures,
    maxConsecutiveFailures,
    nextRunAt,
    lastRunAt,
    createdAt,
    updatedAt,
  } as Workflow
}

type HiddenRow = [secrets: Uint8Array | null, cursor: number, nextSlot: number | null, fireAt: number | null]

export const loadWorkflow = ({ db }: Reader, { workspace, workflow }: Which): LoadedWorkflow | null => {
  // One transaction: separate statements would let a change in between.
  db.run('BEGIN')
  try {
    const found = findOwnWorkflow(db, workspace, workflow)
    if (!found) return null
    const [secrets, cursor, nextSlot, fireAt] = db.get<HiddenRow>(
      `SELECT secrets, cursor, next_slot, fire_at FROM workflow CROSS JOIN workflow_definition USING (seq) WHERE workflow.seq = ?`,
      found.seq,
    )!
    return { ...readWorkflow(db, found.seq), secrets, timing: timingOf(cursor, nextSlot, fireAt) }
  } finally {
    db.run('COMMIT')
  }
}

export const timingOf = (cursor: number, nextSlot: number | null, fireAt: number | null): Timing => ({
  cursor,
  next: nextSlot === null || fireAt === null ? null : { slot: nextSlot, fireAt },
})

type List = {
  readonly workspace: string
  readonly filters: WorkflowFilters
  readonly before: number | null
  readonly limit: number
}

export const listWorkflows = ({ db }: Reader, { workspace, filters, before, limit }: List) => {
  const matching = conditionOf(filters)
  const values = [workspace, before ?? Number.MAX_SAFE_INTEGER, ...matching.values]
  const found = `WHERE workspace = ? AND workflow.seq < ? AND ${matching.sql} ORDER BY workflow.seq DESC LIMIT ?`
  const sizes = db.all<[number]>(`${SIZE_SQL} ${found}`, ...values, limit + 1).map(([bytes]) => bytes)
  const most = Math.min(limit, rowsWithin(MOST_LISTED_BYTES, sizes))
  const rows = db.all<[number, ...unknown[]]>(`${WORKFLOW_SQL} ${found}`, ...values, most)
  return { found: rows.map(decode), next: sizes.length > most ? (rows.at(-1)?.[0] ?? null) : null }
}

/** Does not read the definitions: SQLite stores the size in front of the text. */
const SIZE_SQL = `SELECT octet_length(definition)
  FROM workflow CROSS JOIN workflow_definition ON workflow_definition.seq = workflow.seq`

export const countWorkflows = ({ db }: Reader, { workspace, filters, before }: Omit<List, 'limit'>): Counted =>
  countStretch(db, {
    from: 'workflow',
    position: 'seq',
    within: { sql: 'workspace = ?', values: [workspace] },
    condition: conditionOf(filters),
    before,
  })

const conditionOf = ({ state, query }: WorkflowFilters): Condition => {
  const parts: string[] = ['1']
  const values: SqlValue[] = []
  if (state) {
    parts.push('state IN (SELECT value FROM json_each(?))')
    values.push(JSON.stringify(state))
  }
  if (query) {
    parts.push('instr(lower_name, ?) > 0')
    values.push(query.toLowerCase())
  }
  return { sql: parts.join(' AND '), values }
}
