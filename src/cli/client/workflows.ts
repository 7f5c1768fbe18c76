import type { Trigger } from '../../model/trigger.ts'
import type { RunCounts, RunStatus, WorkflowState } from '../../model/workflow.ts'
import { readAll } from './pages.ts'
import { call, send } from './request.ts'
import type { ServerAddress } from './server-address.ts'

/** The fields of a workflow in the API's answers that the command line shows (`docs/api/workflows.md`); the others are its definition. */
export type WorkflowAnswer = {
  readonly workflow_id: string
  readonly name: string
  readonly state: WorkflowState
  readonly version: number
  readonly consecutive_failures: number
  /** The number of job bodies in the payload. */
  readonly items: number
  readonly max_consecutive_failures?: number | null
  readonly next_run_at: string | null
  readonly last_run_at: string | null
  readonly created_at: string
  readonly updated_at: string
  readonly description?: string
  readonly schedule?: Readonly<Record<string, unknown>> | null
  readonly labels?: Readonly<Record<string, string>> | null
}

/** A run in the API's answers. */
export type RunAnswer = {
  readonly run_id: string
  readonly workflow_id: string
  readonly workflow_version: number
  readonly trigger: Trigger
  readonly status: RunStatus
  readonly status_reason: string | null
  readonly scheduled_at: string | null
  readonly created_at: string
  readonly started_at: string | null
  readonly finished_at: string | null
  readonly counts: RunCounts
  readonly retry_of: string | null
}

/** The answer to a call that starts a run. */
export type TriggerAnswer = { readonly run_id: string; readonly status: RunStatus }

/** The path of a workflow, by id or name, or of a resource below it. */
export const workflowPath = (workflow: string, rest = ''): string =>
  `/v1/workflows/${encodeURIComponent(workflow)}${rest}`

/** The path of a run, or of a resource below it. */
export const runPath = (runId: string, rest = ''): string => `/v1/runs/${encodeURIComponent(runId)}${rest}`

/** A workflow by id or name. */
export const getWorkflow = (server: ServerAddress, workflow: string): Promise<WorkflowAnswer> =>
  call<WorkflowAnswer>(server, { path: workflowPath(workflow) })

/** The id of a workflow given by name or id. A deleted one can still be given by its id. */
export const findWorkflowId = async (
  server: ServerAddress,
  workflow: string | undefined,
): Promise<string | undefined> =>
  workflow === undefined || IS_ID.test(workflow) ? workflow : (await getWorkflow(server, workflow)).workflow_id

const IS_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** A run in its current state. */
export const getRun = (
  server: ServerAddress,
  runId: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<RunAnswer> => call<RunAnswer>(server, { path: runPath(runId), ...options })

/** Pauses, resumes or terminates a workflow. */
export const changeWorkflow = (
  server: ServerAddress,
  workflow: string,
  change: { readonly verb: 'pause' | 'resume' | 'terminate'; readonly graceSeconds?: number | undefined },
): Promise<WorkflowAnswer> =>
  call<WorkflowAnswer>(server, {
    method: 'POST',
    path: workflowPath(workflow, `/${change.verb}`),
    ...(change.graceSeconds === undefined ? {} : { json: { timeout_seconds: change.graceSeconds } }),
  })

/** Refused while the workflow is active or has an open run. */
export const deleteWorkflow = async (server: ServerAddress, workflow: string): Promise<void> => {
  await send(server, { method: 'DELETE', path: workflowPath(workflow) })
}

const OPEN = ['pending', 'running', 'pausing', 'paused'] as const

/** The runs of a workflow that have not ended. */
export const listOpenRuns = (server: ServerAddress, workflow: string): Promise<readonly RunAnswer[]> =>
  readAll<RunAnswer>(server, 'runs', { path: workflowPath(workflow, '/runs'), query: { status: OPEN } })
