import pg from 'pg'
import type { Workflow } from '../../../model/workflow.ts'
import type { Store } from '../../store.ts'
import type { NewWorkflow, ReplaceWorkflow } from '../../workflow-store.ts'
import { storable } from '../array-literal.ts'
import type { Statement } from '../database.ts'
import { withLocks } from '../locks.ts'
import type { Session } from '../session.ts'
import { findWorkflow } from './read-workflows.ts'
import { timingValues, toWorkflow, WORKFLOW_COLUMNS, type WorkflowRow } from './workflow-rows.ts'

const CREATE: Statement = {
  name: 'create_workflow',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now)
    INSERT INTO millrace.workflow (
      id, workspace, name, definition, secrets, scopes, max_consecutive_failures, cursor, next_slot, fire_at,
      created_at, updated_at
    )
    SELECT $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, clock.now, clock.now FROM clock
    ON CONFLICT (workspace, name) DO NOTHING
    RETURNING ${WORKFLOW_COLUMNS}`,
}

/** Implements `createWorkflow`. */
export const createWorkflow = async (session: Session, input: NewWorkflow): Promise<Workflow | 'exists'> => {
  const { id, timing } = input
  const [row] = await session.database.query<WorkflowRow>(CREATE, [
    session.now(),
    id,
    ...definitionValues(input),
    ...timingValues(timing),
  ])
  if (!row) return 'exists'
  if (timing.next) session.signals.changed({ schedule: true })
  return toWorkflow(row)
}

const definitionValues = (input: Omit<NewWorkflow, 'id' | 'timing'>): unknown[] => [
  input.workspace,
  storable(input.name),
  storable(input.definition),
  input.secrets && Buffer.from(input.secrets),
  JSON.stringify(input.scopes),
  input.maxConsecutiveFailures,
]

const REPLACE: Statement = {
  name: 'replace_workflow',
  text: `
    UPDATE millrace.workflow
    SET name = $4, definition = $5, secrets = $6, scopes = $7, max_consecutive_failures = $8,
      cursor = CASE WHEN $9 THEN $10 ELSE cursor END,
      next_slot = CASE WHEN $9 THEN $11 ELSE next_slot END,
      fire_at = CASE WHEN $9 THEN $12 ELSE fire_at END,
      version = version + 1, updated_at = millrace.clock($1::bigint)
    WHERE id = $2 AND workspace = $3 AND version = $13
    RETURNING ${WORKFLOW_COLUMNS}`,
}

/** Implements `replaceWorkflow`. */
export const replaceWorkflow = async (
  session: Session,
  input: ReplaceWorkflow,
): Promise<Workflow | 'not_found' | 'exists' | 'changed'> => {
  const found = await findWorkflow(session.database, input)
  if (!found) return 'not_found'
  try {
    const [row] = await session.database.query<WorkflowRow>(REPLACE, [
      session.now(),
      found.id,
      ...definitionValues(input),
      input.timing !== null,
      ...(input.timing ? timingValues(input.timing) : [null, null, null]),
      input.expectedVersion,
    ])
    if (!row) return (await findWorkflow(session.database, { ...input, workflow: found.id })) ? 'changed' : 'not_found'
    if (input.timing?.next) session.signals.changed({ schedule: true })
    return toWorkflow(row)
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.constraint === 'workflow_workspace_name_key') return 'exists'
    throw error
  }
}

/** Requires the workflow's lock, without which no run of it can be created. */
const DELETE: Statement = {
  name: 'delete_workflow',
  text: `
    WITH gone AS (
      DELETE FROM millrace.workflow
      WHERE id = $1 AND state <> 'active'
        AND NOT EXISTS (SELECT FROM millrace.run WHERE workflow_id = $1 AND phase IN ('pending', 'running'))
      RETURNING id
    ),
    slot AS (DELETE FROM millrace.slot USING gone WHERE slot.workflow_id = gone.id),
    notification AS (DELETE FROM millrace.notification USING gone WHERE notification.workflow_id = gone.id)
    SELECT id FROM gone`,
}

/** Implements `deleteWorkflow`. */
export const deleteWorkflow = async (
  session: Session,
  key: { workspace: string; workflow: string },
): ReturnType<Store['deleteWorkflow']> => {
  const found = await findWorkflow(session.database, key)
  if (!found) return 'not_found'
  return withLocks(session, { workflows: [found.id] }, async ({ connection }) => {
    const deleted = await connection.query(DELETE, [found.id])
    if (deleted.length > 0) return 'deleted'
    const left = await findWorkflow(connection, { ...key, workflow: found.id })
    if (!left) return 'not_found'
    return left.state === 'active' ? 'active' : 'has_open_runs'
  })
}
