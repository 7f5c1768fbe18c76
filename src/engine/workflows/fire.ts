import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../kernel/clock.ts'
import type { Logger } from '../../kernel/logger.ts'
import type { Store } from '../../store/store.ts'
import type { DueWorkflow, NewRun, WorkflowFire } from '../../store/workflow-store.ts'
import { planFire } from './plan-fire.ts'
import { makeRun, type Template } from './template.ts'
import type { BrokenTemplate, Templates } from './templates.ts'

type Dependencies = {
  readonly store: Store
  readonly templates: Templates
  readonly clock: Clock
  readonly logger: Logger
  readonly maxQueued: number
}

export type Fire = {
  /** Fires one batch of due workflows. Returns the ms until the next call is due, or null if nothing is waiting. */
  readonly pass: () => Promise<number | null>
  /** Handles the due slots of one workflow. */
  readonly one: (workflow: DueWorkflow) => Promise<void>
}

/** Workflows per pass. */
const BATCH = 500
/** A commit with this many items is large enough; the rest goes into the next one. */
const ITEMS_PER_COMMIT = 5_000
/** Counting this many slots takes a while (a week of sleep leaves many), so yield afterwards. */
const MANY_SLOTS = 500
/** A workflow with an unreadable schedule is retried after this long: a newer version of the server may read it. */
const UNREADABLE_AGAIN_MS = 3_600_000
/** Retry delay for a workflow whose fire the database refuses while it accepts others. */
const REFUSED_AGAIN_MS = 5_000
const MOST_TOLD = 10_000
const NEVER = Number.POSITIVE_INFINITY

/**
 * Turns slots into runs. Any number of schedulers may run this: each fire is a compare-and-set on the workflow's version and cursor, so the loser of a race
 * writes nothing.
 */
export const createFire = ({ store, templates, clock, logger, maxQueued }: Dependencies): Fire => {
  const told = new Set<string>()

  const pass = async (): Promise<number | null> => {
    const { due, now, nextFireInMs } = await store.listDueWorkflows({ limit: BATCH })
    const listedAt = clock.monotonic()
    const { refused, nextFireAt } = await fireAll(due, now)
    if (due.length === BATCH && refused < BATCH) return 0
    const next = Math.min(nextFireInMs ?? NEVER, nextFireAt - now, refused > 0 ? REFUSED_AGAIN_MS : NEVER)
    return next === NEVER ? null : Math.max(0, Math.ceil(next - (clock.monotonic() - listedAt)))
  }

  const one = async (workflow: DueWorkflow): Promise<void> => {
    const now = await store.now()
    if (workflow.timing.next === null || workflow.timing.next.fireAt > now) return
    const fire = await toFire(workflow, now)
    if (fire !== null) await store.fireWorkflows([fire])
  }

  /** Returns how many fires the store refused while it accepted others, and when the earliest next fire is due. */
  const fireAll = async (
    due: readonly DueWorkflow[],
    now: number,
  ): Promise<{ refused: number; nextFireAt: number }> => {
    let refused = 0
    let nextFireAt = NEVER
    let fires: WorkflowFire[] = []
    let items = 0
    for (const workflow of due) {
      const fire = await toFire(workflow, now)
      if (fire === null) continue
      fires.push(fire)
      nextFireAt = Math.min(nextFireAt, fire.timing.next?.fireAt ?? NEVER)
      items += fire.run?.items.length ?? 0
      if (fire.skipped.some(({ count }) => count > MANY_SLOTS)) await nextTurn()
      if (items < ITEMS_PER_COMMIT) continue
      refused += await commit(fires)
      fires = []
      items = 0
      await nextTurn()
    }
    return { refused: refused + (await commit(fires)), nextFireAt }
  }

  /** A fire the store refuses must not block the others: unless the database is down, each is then committed on its own. */
  const commit = async (fires: readonly WorkflowFire[]): Promise<number> => {
    if (fires.length === 0) return 0
    try {
      await store.fireWorkflows(fires)
      return 0
    } catch {
      await store.ping()
      return commitSingly(fires)
    }
  }

  const commitSingly = async (fires: readonly WorkflowFire[]): Promise<number> => {
    let refused = 0
    for (const fire of fires) {
      try {
        await store.fireWorkflows([fire])
      } catch (error) {
        refused += 1
        tell(fire.workflowId, fire.version, error)
      }
    }
    return refused
  }

  /** null: it changed meanwhile. If it is still due, it will be listed again with its new version. */
  const toFire = async (due: DueWorkflow, now: number): Promise<WorkflowFire | null> => {
    const template = await templates.load(due)
    if (template === null) return null
    if (template.items === null) tell(due.id, due.version, template.error)
    const { id: workflowId, workspace, version, state, timing } = due
    const base = { workspace, workflowId, version, cursor: timing.cursor, maxQueued }
    if (template.schedule === null) return { ...base, ...withoutSchedule(template, due, now) }
    const { schedule } = template
    const plan = planFire({ workflowId, schedule, cursor: timing.cursor, now, isPaused: state === 'paused' })
    return { ...base, ...plan, overlap: schedule.overlap, run: plan.slot === null ? null : runOf(template, plan.slot) }
  }

  /** Logs once per version, because the workflow may be due every second. */
  const tell = (workflowId: string, version: number, error: unknown): void => {
    const key = `${workflowId}:${version}`
    if (told.has(key)) return
    if (told.size >= MOST_TOLD) told.clear()
    told.add(key)
    logger.error({ err: error, workflow_id: workflowId, version }, 'a workflow cannot be fired')
  }

  return { pass, one }
}

const runOf = (template: Template | BrokenTemplate, slot: number): NewRun | null =>
  template.items === null
    ? null
    : makeRun(template, { trigger: 'automatic', scheduledAt: slot, scopes: template.scopes, parentJobId: null })

/** Its schedule was removed, or cannot be read. In the latter case the slot is recorded as invalid and the next attempt is scheduled. */
const withoutSchedule = (
  template: Template | BrokenTemplate,
  { timing }: DueWorkflow,
  now: number,
): Pick<WorkflowFire, 'slot' | 'skipped' | 'timing' | 'run' | 'overlap'> => {
  const again = now + UNREADABLE_AGAIN_MS
  return template.items !== null
    ? { slot: null, skipped: [], run: null, overlap: 'skip', timing: { cursor: timing.cursor, next: null } }
    : {
        slot: timing.next?.slot ?? null,
        skipped: [],
        run: null,
        overlap: 'skip',
        timing: { cursor: timing.next?.slot ?? timing.cursor, next: { slot: again, fireAt: again } },
      }
}
