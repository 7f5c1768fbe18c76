import type { Run, Slot } from '../../src/model/workflow.ts'
import { isEndedRun } from './model.ts'
import type { Stretch, World } from './world.ts'

const workspace = 'default'

/** What must hold after every step. */
export const checkStep = async ({ store, model }: World): Promise<void> => {
  const { workflows } = await store.listWorkflows({ workspace, filters: {}, limit: 100, cursor: null })
  for (const workflow of workflows) model.compare(workflow)
  const status = ['running', 'pausing', 'paused'] as const
  const { runs } = await store.listRuns({ workspace, filters: { status }, limit: 100, cursor: null })
  for (const { id, counts, maxConcurrent } of runs) {
    if (counts.queued + counts.running > maxConcurrent)
      model.faults.push(`run ${id} has ${counts.queued} queued and ${counts.running} running items of ${maxConcurrent}`)
    if (counts.pending + counts.queued + counts.running === 0) model.faults.push(`run ${id} is open without an item`)
  }
}

/** What must hold at the end, when everything has been resumed: all has ended, and invariant 8. */
export const checkEnd = async (world: World): Promise<void> => {
  const { model } = world
  if (model.liveJobs() > 0) model.faults.push(`${model.liveJobs()} jobs never ended`)
  for (const workflowId of world.workflows.keys()) {
    const runs = await allRuns(world, workflowId)
    for (const run of runs) if (!isEndedRun(run.status)) model.faults.push(`run ${run.id} is still ${run.status}`)
    const slots = await allSlots(world, workflowId)
    for (const fault of slotFaults(slots, runs, world.stretches.get(workflowId)!))
      model.faults.push(`${world.workflows.get(workflowId)}: ${fault}`)
  }
}

/** Invariant 8: each slot was handled once, and each that fired has one run. */
export const slotFaults = (
  slots: readonly Slot[],
  runs: readonly Run[],
  stretches: readonly Stretch[],
): readonly string[] => {
  const faults: string[] = []
  const fired = slots.filter(({ outcome }) => outcome === 'fired')
  // A slot whose run was replaced before it started was skipped.
  const neverStarted = (run: Run) => run.statusReason === 'replaced' && run.startedAt === null
  const automatic = runs.filter(run => run.trigger === 'automatic' && !neverStarted(run))
  const runOf = new Map(automatic.map(run => [run.scheduledAt, run.id]))
  if (runOf.size !== automatic.length) faults.push('two runs have one slot')
  if (fired.length !== automatic.length)
    faults.push(`${fired.length} slots fired, but there are ${automatic.length} runs`)
  for (const { slot, runId } of fired) if (runOf.get(slot) !== runId) faults.push(`slot ${slot} has another run`)
  // With the clock set back, a schedule that starts anew meets handled slots: they do not run again.
  const isAhead = stretches.every(({ from }, index) => index === 0 || from >= stretches[index - 1]!.to)
  if (!isAhead) return faults
  const recorded = slots.reduce((sum, { count }) => sum + count, 0)
  const expected = stretches.reduce((sum, stretch) => sum + slotsOf(stretch), 0)
  if (recorded !== expected) faults.push(`${recorded} slots are recorded, ${expected} have been`)
  return faults
}

const slotsOf = ({ schedule, from, to }: Stretch): number =>
  schedule === null ? 0 : schedule.missedSlots({ after: from, upTo: to, limit: 1_000_000 }).count

type Page<T> = { readonly items: readonly T[]; readonly nextCursor: string | null }

const all = async <T>(read: (cursor: string | null) => Promise<Page<T>>): Promise<readonly T[]> => {
  const found: T[] = []
  for (let cursor: string | null = null; ; ) {
    const page = await read(cursor)
    found.push(...page.items)
    if (page.nextCursor === null) return found
    cursor = page.nextCursor
  }
}

const allRuns = ({ store }: World, workflowId: string): Promise<readonly Run[]> =>
  all(async cursor => {
    const { runs, nextCursor } = await store.listRuns({ workspace, filters: { workflowId }, limit: 500, cursor })
    return { items: runs, nextCursor }
  })

const allSlots = ({ store }: World, workflow: string): Promise<readonly Slot[]> =>
  all(async cursor => {
    const { slots, nextCursor } = (await store.listSlots({ workspace, workflow, limit: 500, cursor }))!
    return { items: slots, nextCursor }
  })
