import { checkEnd, checkStep } from './check.ts'
import { beginWorkflows, doSomething } from './deeds.ts'
import { openWorld, type World } from './world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** The outcome of a month with one seed. `faults` is empty if all is well; the counts show that something has happened. */
export type Report = {
  readonly faults: readonly string[]
  readonly steps: number
  readonly runs: number
  /** Runs by how they ended, and items that joined runs. */
  readonly ended: Readonly<Record<string, number>>
  readonly extensions: number
  readonly crashes: number
  readonly jumps: number
}

type Limits = { readonly seed: number; readonly days: number; readonly workflows: number }

/** Simulates days and returns what was wrong. Stops at the first faults. */
export const simulate = async ({ seed, days, workflows }: Limits): Promise<Report> => {
  const world = await openWorld(seed)
  const { clock, random, model } = world
  let [steps, crashes, jumps] = [0, 0, 0]
  try {
    await beginWorkflows(world, workflows)
    for (const end = clock.now() + days * 24 * HOUR; clock.now() < end && model.faults.length === 0; steps++) {
      jumps += await passTime(world)
      if (random.chance(0.3)) await doSomething(world)
      if (random.chance(0.02)) {
        world.crash()
        crashes++
      }
      await turn(world, { endShare: 0.85 })
      await checkStep(world)
    }
    if (model.faults.length === 0) await finish(world)
    return { ...model.report(), steps, crashes, jumps }
  } finally {
    await world.close()
  }
}

/** Mostly minutes, often to the next slot; sometimes the machine sleeps, or its clock is set. Returns 1 for such a jump. */
const passTime = async ({ clock, random, store }: World): Promise<0 | 1> => {
  if (random.chance(0.02)) {
    clock.advance(random.pick([-2 * HOUR, -20 * MINUTE, 9 * HOUR, 30 * HOUR]))
    return 1
  }
  if (random.chance(0.3)) {
    const { nextFireInMs } = await store.listDueWorkflows({ limit: 1 })
    clock.advance(Math.min(nextFireInMs ?? 0, 4 * HOUR) + random.between(0, 2_000))
    return 0
  }
  clock.advance(random.chance(0.3) ? random.between(1, 20_000) : random.between(1, 90) * MINUTE)
  return 0
}

/** One of the servers, or both at once, look for due work, then each runs its jobs. */
const turn = async ({ servers, random }: World, { endShare }: { endShare: number }): Promise<void> => {
  const looking = random.chance(0.5) ? servers : [random.pick(servers)]
  await Promise.all(looking.map(server => server.schedule()))
  for (const server of servers) await server.work({ endShare })
}

/** The maximum number of turns that resumed work may need. */
const MOST_TURNS = 3_000

/** Resumes everything until nothing is left to do, then checks the history. */
const finish = async (world: World): Promise<void> => {
  const { clock, model, store } = world
  for (const workflow of world.workflows.keys()) await letGoOn(world, workflow)
  for (let turns = 0; turns < MOST_TURNS && (await hasOpenRuns(world)); turns++) {
    clock.advance(10_000)
    if (turns % 50 === 49) clock.advance(HOUR) // runs that were triggered for later
    await turn(world, { endShare: 1 })
  }
  for (const [workflow] of world.workflows)
    await world.tracking(workflow, () => store.terminateWorkflow({ workspace: 'default', workflow, graceMs: null }))
  if (model.faults.length === 0) await checkEnd(world)
}

/** No further slots, and everything paused is resumed: directly at the store, so that no broken connection prevents it. */
const letGoOn = async (world: World, workflow: string): Promise<void> => {
  const { store, clock } = world
  const at = { workspace: 'default', workflow }
  await world.tracking(workflow, () => store.resumeWorkflow({ ...at, timing: { cursor: clock.now(), next: null } }))
  const { runs } = await store.listRuns({
    workspace: 'default',
    filters: { workflowId: workflow },
    limit: 500,
    cursor: null,
  })
  for (const { id: runId, status } of runs)
    if (status === 'paused' || status === 'pausing') await store.resumeRun({ workspace: 'default', runId })
}

const hasOpenRuns = async ({ store }: World): Promise<boolean> => {
  const status = ['pending', 'running', 'pausing', 'paused'] as const
  const { runs } = await store.listRuns({ workspace: 'default', filters: { status }, limit: 1, cursor: null })
  return runs.length > 0
}
