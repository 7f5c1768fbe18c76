import type { KindDefinition } from '../../executors/kind-definition.ts'
import { MillraceError } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import type { NewJob } from '../../model/job.ts'
import { isFault, readScheduledAt } from '../../model/job-body.ts'
import { ENDED_RUN_STATUSES, type Run, type RunStatus } from '../../model/workflow.ts'
import type { IdempotencyKey, Store } from '../../store/store.ts'
import type { NewRun, TriggerWorkflow } from '../../store/workflow-store.ts'
import type { Submitter } from '../engine.ts'
import { invalidFields } from '../invalid-fields.ts'
import { noSuchRun, noSuchWorkflow } from '../not-found.ts'
import type { RequireRights } from '../require-rights.ts'
import { tooManyQueued } from '../submit.ts'
import type { Workflows } from '../workflows.ts'
import { makeRun } from './template.ts'
import type { Templates } from './templates.ts'

type Dependencies = {
  readonly store: Store
  readonly templates: Templates
  readonly definitions: readonly KindDefinition[]
  readonly requireRights: RequireRights
  readonly maxQueued: number
}
type Triggered = { readonly runId: string; readonly status: RunStatus }

/** How often a trigger is retried because the workflow changed between reading and writing. */
const MOST_TRIES = 5

/** Manual runs: of a workflow's payload, and of another run's failed items. */
export const createTrigger = ({
  store,
  templates,
  definitions,
  requireRights,
  maxQueued,
}: Dependencies): Pick<Workflows, 'trigger' | 'retryFailed'> => {
  const withParameters = new Set(definitions.filter(({ merges }) => merges.parameters).map(({ kind }) => kind))

  /** null: the workflow changed meanwhile. */
  const tryTrigger = async (input: Omit<TriggerWorkflow, 'maxQueued'>): Promise<Triggered | null> => {
    const outcome = await store.triggerWorkflow({ ...input, maxQueued })
    switch (outcome.type) {
      case 'triggered':
        return { runId: outcome.runId, status: outcome.status }
      case 'changed':
        return null
      case 'not_found':
        throw noSuchWorkflow(input.workflowId)
      case 'paused':
        throw new MillraceError('workflow_paused')
      case 'too_many_queued':
        throw tooManyQueued(outcome.queued, maxQueued)
      default:
        return outcome satisfies never
    }
  }

  const trigger: Workflows['trigger'] = async ({ caller, workflow, scheduledAt, parameters, idempotency }) => {
    const when = readWhen(scheduledAt, await store.now())
    return untilUnchanged(async () => {
      const loaded = await store.loadWorkflow({ workspace: caller.workspace, workflow })
      if (loaded === null) throw noSuchWorkflow(workflow)
      const template = await templates.of(loaded, parameters)
      requireRights(caller, template.items)
      if (parameters !== undefined && !template.items.some(({ kind }) => withParameters.has(kind)))
        throw invalidFields([{ path: 'parameters', message: 'are taken by no item of the payload' }])
      const run = makeRun(template, {
        trigger: 'manual',
        scheduledAt: when,
        scopes: common(template.scopes, caller.scopes),
        parentJobId: caller.parentJobId,
      })
      const { id: workflowId, version } = loaded
      return tryTrigger({
        workspace: caller.workspace,
        workflowId,
        version,
        run,
        scheduledAt: when,
        ...kept(idempotency),
      })
    })
  }

  const retryFailed: Workflows['retryFailed'] = async ({ caller, runId, idempotency }) => {
    const { workspace } = caller
    const failed = await store.listFailedItems({ workspace, runId })
    if (failed === null) throw noSuchRun(runId)
    const { run, items } = failed
    if (!(ENDED_RUN_STATUSES as readonly RunStatus[]).includes(run.status)) throw new MillraceError('run_not_ended')
    if (run.counts.failed === 0) throw new MillraceError('no_failed_items')
    if (items.length === 0) throw new MillraceError('failed_items_purged')
    requireRights(caller, items)
    const itemsPurged = run.counts.failed - items.length
    const triggered = await untilUnchanged(async () => {
      const workflow = await store.getWorkflow({ workspace, workflow: run.workflowId })
      if (workflow === null) throw noSuchWorkflow(run.workflowId)
      const { id: workflowId, version } = workflow
      const again = againOf(run, items, caller)
      const answer = { items_purged: itemsPurged }
      return tryTrigger({ workspace, workflowId, version, run: again, scheduledAt: null, answer, ...kept(idempotency) })
    })
    return { ...triggered, itemsPurged }
  }

  return { trigger, retryFailed }
}

const untilUnchanged = async (attempt: () => Promise<Triggered | null>): Promise<Triggered> => {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const triggered = await attempt()
    if (triggered !== null) return triggered
  }
  throw new MillraceError('workflow_changed')
}

const readWhen = (scheduledAt: string | undefined, now: number): number | null => {
  const when = readScheduledAt(scheduledAt, now)
  if (isFault(when)) throw invalidFields([when])
  return when
}

/** The jobs' own tokens get only the scopes that both the author and the caller have. */
const common = (author: readonly string[], caller: readonly string[]): readonly string[] =>
  author.filter(scope => caller.includes(scope))

/** The failed items, unchanged, as new jobs of a new run. */
const againOf = (run: Run, items: readonly NewJob[], caller: Submitter): NewRun => {
  const id = newId()
  return {
    id,
    maxConcurrent: run.maxConcurrent,
    snapshot: run.snapshot,
    workflowVersion: run.workflowVersion,
    retryOf: run.id,
    items: items.map(item => ({
      ...item,
      id: newId(),
      runId: id,
      rerunOf: item.id,
      trigger: 'manual',
      scheduledAt: null,
      parentJobId: caller.parentJobId,
      scopes: common(item.scopes, caller.scopes),
    })),
  }
}

const kept = (idempotency: IdempotencyKey | undefined) => (idempotency === undefined ? {} : { idempotency })
