import { MillraceError } from '../../kernel/errors.ts'
import { ENDED_RUN_STATUSES, type Run, type RunStatus, type Workflow } from '../../model/workflow.ts'
import type { Store } from '../../store/store.ts'
import type { LoadedWorkflow, RunChange } from '../../store/workflow-store.ts'
import { noSuchRun, noSuchWorkflow } from '../not-found.ts'
import type { Workflows } from '../workflows.ts'
import type { Fire } from './fire.ts'
import type { Templates } from './templates.ts'
import { timingAt } from './timing.ts'

type Dependencies = { readonly store: Store; readonly templates: Templates; readonly fire: Fire }
type Control = Pick<Workflows, 'delete' | 'pause' | 'resume' | 'terminate' | 'pauseRun' | 'resumeRun' | 'terminateRun'>

/** Pausing, resuming, terminating and deleting. The rules are the store's; the error messages are here. */
export const createControl = ({ store, templates, fire }: Dependencies): Control => ({
  delete: async ({ workspace, workflow }) => {
    const outcome = await store.deleteWorkflow({ workspace, workflow })
    if (outcome === 'deleted') return
    if (outcome === 'not_found') throw noSuchWorkflow(workflow)
    throw new MillraceError(outcome === 'active' ? 'workflow_active' : 'workflow_has_open_runs')
  },

  pause: async ({ workspace, workflow }) => {
    const outcome = await store.pauseWorkflow({ workspace, workflow })
    if (outcome === 'terminated') throw new MillraceError('workflow_terminated')
    return found(outcome, workflow)
  },

  resume: async ({ workspace, workflow }) => {
    const loaded = await store.loadWorkflow({ workspace, workflow })
    if (loaded === null) throw noSuchWorkflow(workflow)
    // Record the slots missed while paused before activating: otherwise a scheduler would catch them up.
    if (loaded.state === 'paused') await fire.one(loaded)
    const schedule = await scheduleFor(templates, loaded)
    const timing = timingAt(schedule, loaded.id, await store.now())
    return found(await store.resumeWorkflow({ workspace, workflow: loaded.id, timing }), workflow)
  },

  terminate: async ({ workspace, workflow, graceMs }) =>
    found(await store.terminateWorkflow({ workspace, workflow, graceMs }), workflow),

  pauseRun: async ({ workspace, runId }) => stillOpen(await store.pauseRun({ workspace, runId }), runId),
  resumeRun: async ({ workspace, runId }) => stillOpen(await store.resumeRun({ workspace, runId }), runId),
  terminateRun: async ({ workspace, runId, graceMs }) => {
    const change = await store.terminateRun({ workspace, runId, graceMs })
    if (change === 'not_found') throw noSuchRun(runId)
    return change.run
  },
})

const found = (outcome: Workflow | 'not_found', workflow: string): Workflow => {
  if (outcome === 'not_found') throw noSuchWorkflow(workflow)
  return outcome
}

const stillOpen = (change: RunChange, runId: string): Run => {
  if (change === 'not_found') throw noSuchRun(runId)
  if ((ENDED_RUN_STATUSES as readonly RunStatus[]).includes(change.run.status)) throw new MillraceError('run_ended')
  return change.run
}

/** Also returns the schedule if the payload can no longer be made into jobs: its slots will then be recorded as invalid. */
const scheduleFor = async (templates: Templates, workflow: LoadedWorkflow) =>
  (await templates.load(workflow))?.schedule ?? null
