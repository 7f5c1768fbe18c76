import { postOnce } from '../client/jobs.ts'
import { call } from '../client/request.ts'
import type { ServerAddress } from '../client/server-address.ts'
import { changeWorkflow, deleteWorkflow, listOpenRuns, type WorkflowAnswer, workflowPath } from '../client/workflows.ts'
import { CliFailure } from '../failure.ts'
import type { PlanStep } from './plan.ts'

/** The outcome of a step; `open_runs`: a workflow with open runs is not deleted. */
export type StepResult = 'created' | 'changed' | 'deleted' | 'open_runs'

/** Executes one step of a plan. Idempotent. Throws `CliFailure` if the server refuses. */
export const carryOut = async (
  server: ServerAddress,
  step: Exclude<PlanStep, { readonly action: 'keep' }>,
): Promise<StepResult> => {
  if (step.action === 'prune') return prune(server, step.workflow)
  const json = step.file.definition
  if (step.action === 'create' && (await create(server, json))) return 'created'
  await call(server, { method: 'PUT', path: workflowPath(step.file.name), json })
  return 'changed'
}

/** false: a workflow with that name has been created since the plan was made. */
const create = async (server: ServerAddress, json: unknown): Promise<boolean> => {
  try {
    await postOnce(server, { path: '/v1/workflows', json })
    return true
  } catch (error) {
    if (error instanceof CliFailure && error.code === 'workflow_exists') return false
    throw error
  }
}

/** Deletes a workflow without ending anything that runs. It is paused first, so that no run starts meanwhile, and resumed if one has. */
const prune = async (server: ServerAddress, { workflow_id: id, state }: WorkflowAnswer): Promise<StepResult> => {
  if ((await listOpenRuns(server, id)).length > 0) return 'open_runs'
  if (state === 'active') await changeWorkflow(server, id, { verb: 'pause' })
  try {
    await deleteWorkflow(server, id)
    return 'deleted'
  } catch (error) {
    if (!(error instanceof CliFailure && error.code === 'workflow_has_open_runs')) throw error
    if (state === 'active') await changeWorkflow(server, id, { verb: 'resume' })
    return 'open_runs'
  }
}
