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
 * Schedules of copy nodes. A pipe is kept in the catalogue, what fires its copies is a workflow, and no transaction spans the two: the pipe is what holds,
 * and workflows are made to follow it, after every change of a pipe and again and again, because the server may have died in between, or
 * somebody deleted the workflow.
 */
export interface CopySchedules {
  /**
   * Throws what making the workflows would be refused with, before anything is kept: paths lead into `nodes`. `invalid`, `schedule_never_fires`,
   * `forbidden`, `executor_unavailable`, `workflow_exists` (somebody else's of that name).
   */
  check(input: { author: Submitter; copies: readonly ScheduledCopy[] }): Promise<void>
  /** Makes the workflows of a workspace what its pipes say; idempotent. `waiting`: one is not deleted yet, because a run of it is open. */
  sync(workspace: string): Promise<'done' | 'waiting'>
}

type Dependencies = { readonly store: Store; readonly workflows: Workflows; readonly logger: Logger }

/** What such a workflow may do, whoever made the pipe: that they may, too, was checked then. So it can be made again without them. */
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
      // Who changed a pipe meanwhile has perhaps been overtaken by us, with what was before.
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

  /** What keeps one from being fired must not keep the others. */
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
      // Its time is over, or another process was faster.
      if (error.code === 'schedule_never_fires' || error.code === 'workflow_exists') return
      logger.warn({ err: error, workspace, workflow: name }, 'the schedule of a copy node cannot be followed')
    }
  }

  /** False: a run of it is open, and ends by itself. Meanwhile it has another name: the node may come back. */
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

/** A refusal of the workflow as one of the node it is made for. */
const placed = (error: unknown, { index }: ScheduledCopy): unknown => {
  if (!(error instanceof MillraceError) || error.errors.length === 0) return error
  const errors = error.errors.map(({ path, message }) => ({
    path: path.startsWith('schedule') ? `nodes.${index}.${path}` : `nodes.${index}`,
    message,
  }))
  return new MillraceError(error.code, `${errors[0]!.path}: ${errors[0]!.message}`, { errors })
}
