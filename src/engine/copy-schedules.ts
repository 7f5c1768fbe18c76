import { type FieldError, invalidField, MillraceError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import { EMPTY_CATALOGUE } from '../model/catalogue.ts'
import {
  allScheduledCopies,
  COPY_WORKFLOW_PREFIX,
  copyNameFault,
  copyWorkflow,
  copyWorkflowName,
  isCopyWorkflow,
  retiredName,
  type ScheduledCopy,
} from '../model/copy-schedule.ts'
import type { Scope } from '../model/scopes.ts'
import type { Workflow } from '../model/workflow.ts'
import type { Store } from '../store/store.ts'
import type { Submitter } from './engine.ts'
import type { Workflows } from './workflows.ts'

/**
 * Schedules of copy nodes. The pipe is in the catalogue and a workflow fires its copies, but no transaction spans the two. The pipe is the source of truth.
 * Workflows are synced to it after every change of a pipe and periodically, because the server may have died in between or somebody may have deleted
 * the workflow.
 */
export interface CopySchedules {
  /**
   * Throws, before anything is stored, what creating the workflows would throw, with paths into `nodes`: `invalid`, `schedule_never_fires`, `forbidden`,
   * `executor_unavailable`, or `workflow_exists` (the name belongs to somebody else's workflow).
   */
  check(input: { author: Submitter; copies: readonly ScheduledCopy[] }): Promise<void>
  /** Syncs the workflows of a workspace with its pipes. Idempotent. `waiting`: a workflow could not be deleted yet, because it has an open run. */
  sync(workspace: string): Promise<'done' | 'waiting'>
}

type Dependencies = { readonly store: Store; readonly workflows: Workflows; readonly logger: Logger }

/**
 * Scopes of these workflows, whoever made the pipe. That the author has them was checked when the pipe was written, so the workflow can be recreated
 * without the author.
 */
const SCOPES: readonly Scope[] = ['jobs:run:copy']

export const createCopySchedules = ({ store, workflows, logger }: Dependencies): CopySchedules => {
  const check: CopySchedules['check'] = async ({ author, copies }) => {
    for (const copy of copies) {
      const fault = copyNameFault(copy)
      if (fault !== null) throw invalidNode(copy, { path: 'name', message: fault })
      const name = copyWorkflowName(copy)
      const known = await store.getWorkflow({ workspace: author.workspace, workflow: name })
      if (known !== null && !isOurs(known))
        throw new MillraceError('workflow_exists', `There is a workflow ${JSON.stringify(name)} of somebody else.`)
      try {
        await workflows.check({ author, definition: copyWorkflow(copy) })
      } catch (error) {
        throw placed(error, copy)
      }
    }
  }

  const readCatalogue = async (workspace: string) => (await store.readCatalogue({ workspace })) ?? EMPTY_CATALOGUE

  const sync: CopySchedules['sync'] = async workspace => {
    for (;;) {
      const catalogue = await readCatalogue(workspace)
      const outcome = await follow(workspace, allScheduledCopies(catalogue))
      // If a pipe changed meanwhile, we may have overwritten its new workflow with the old one: sync again.
      if ((await readCatalogue(workspace)).version === catalogue.version) return outcome
    }
  }

  const follow = async (workspace: string, copies: readonly ScheduledCopy[]): Promise<'done' | 'waiting'> => {
    for (const copy of copies) await put(workspace, copy)
    const wanted = new Set(copies.map(copyWorkflowName))
    let outcome: 'done' | 'waiting' = 'done'
    for (const workflow of await listOurs(workspace))
      if (!wanted.has(workflow.name) && !(await remove(workspace, workflow))) outcome = 'waiting'
    return outcome
  }

  /** A failure of one workflow must not stop the others. */
  const put = async (workspace: string, copy: ScheduledCopy): Promise<void> => {
    const author: Submitter = { workspace, scopes: SCOPES, parentJobId: null }
    const definition = copyWorkflow(copy)
    const { name } = definition
    try {
      const known = await store.getWorkflow({ workspace, workflow: name })
      if (known === null) await workflows.create({ author, definition })
      else if (isOurs(known)) await workflows.replace({ author, workflow: known.id, definition })
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
      // Its schedule is over, or another process created it first.
      if (error.code === 'schedule_never_fires' || error.code === 'workflow_exists') return
      logger.warn({ err: error, workspace, workflow: name }, 'the schedule of a copy node cannot be followed')
    }
  }

  /** False while a run is open; it ends by itself. Until then the workflow is renamed, because the node may come back. */
  const remove = async (workspace: string, { id, name, definition }: Workflow): Promise<boolean> => {
    const author: Submitter = { workspace, scopes: SCOPES, parentJobId: null }
    const retired = retiredName(id)
    try {
      const { schedule: _, ...rest } = JSON.parse(definition) as Readonly<Record<string, unknown>>
      if (name !== retired) await workflows.replace({ author, workflow: id, definition: { ...rest, name: retired } })
      await workflows.terminate({ workspace, workflow: id, graceMs: null })
      await workflows.delete({ workspace, workflow: id })
      return true
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
      return error.code === 'not_found'
    }
  }

  const listOurs = async (workspace: string): Promise<readonly Workflow[]> => {
    const found: Workflow[] = []
    let cursor: string | null = null
    do {
      const page: Awaited<ReturnType<Store['listWorkflows']>> = await store.listWorkflows({
        workspace,
        filters: { query: COPY_WORKFLOW_PREFIX },
        limit: 100,
        cursor,
      })
      found.push(...page.workflows.filter(isOurs))
      cursor = page.nextCursor
    } while (cursor !== null)
    return found
  }

  return { check, sync }
}

const isOurs = ({ definition }: Workflow): boolean =>
  isCopyWorkflow(JSON.parse(definition) as { labels?: Readonly<Record<string, unknown>> })

const invalidNode = (copy: ScheduledCopy, { path, message }: FieldError): MillraceError =>
  invalidField(`nodes.${copy.index}.${path}`, message)

/** Converts a refusal of the workflow to a refusal of its node. */
const placed = (error: unknown, { index }: ScheduledCopy): unknown => {
  if (!(error instanceof MillraceError) || error.errors.length === 0) return error
  const errors = error.errors.map(({ path, message }) => ({
    path: path.startsWith('schedule') ? `nodes.${index}.${path}` : `nodes.${index}`,
    message,
  }))
  return new MillraceError(error.code, `${errors[0]!.path}: ${errors[0]!.message}`, { errors })
}
