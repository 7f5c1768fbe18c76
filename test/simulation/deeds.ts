import { MillraceError } from '../../src/kernel/errors.ts'
import type { Random } from '../chaos/random.ts'
import { SUBMITTER } from '../engine/harness.ts'
import { BrokenLink } from './link.ts'
import type { Server } from './server.ts'
import type { World } from './world.ts'

const workspace = 'default'
const HOUR = 3_600_000

const schedules = [
  { intervals: [{ every: '20m', offset: '3m' }], jitter: '4m' },
  { intervals: [{ every: '1h' }], overlap: 'queue_one', catch_up: '3h' },
  { crons: ['*/30 8-18 * * MON-FRI'], time_zone: 'Europe/Berlin', overlap: 'cancel_previous' },
  {
    calendars: [{ hour: { start: 0, end: 23, step: 4 }, minute: 30 }],
    time_zone: 'America/New_York',
    overlap: 'allow',
  },
  { intervals: [{ every: '7m', anchor: 'creation' }], overlap: 'queue_one', catch_up: 0 },
  { intervals: [{ every: '5m' }], overlap: 'cancel_previous' },
]

/** A definition of a workflow as anybody might write it. */
const anyDefinition = (name: string, random: Random) => ({
  name,
  payload: Array.from({ length: random.between(1, 4) }, () => ({
    command: 'x',
    ...(random.chance(0.5) && {
      retry: { maximum_attempts: random.between(1, 2), initial_interval: random.pick([0, '1m']) },
    }),
  })),
  configuration: { max_concurrent_requests: random.between(1, 3) },
  schedule: random.chance(0.85) ? random.pick(schedules) : null,
  max_consecutive_failures: random.pick([null, 2, 4]),
})

type Deed = (world: World, server: Server) => Promise<unknown>

const anyWorkflow = ({ random, workflows }: World): string => random.pick([...workflows.keys()])
const anyRun = async ({ random, store }: World, isOpen: boolean): Promise<string | null> => {
  const status = isOpen ? (['pending', 'running', 'pausing', 'paused'] as const) : (['failed'] as const)
  const { runs } = await store.listRuns({ workspace, filters: { status }, limit: 20, cursor: null })
  return runs.length === 0 ? null : random.pick(runs).id
}

const onRun =
  (isOpen: boolean, call: (server: Server, runId: string) => Promise<unknown>): Deed =>
  async (world, server) => {
    const runId = await anyRun(world, isOpen)
    if (runId !== null) await call(server, runId)
  }

const replace: Deed = async (world, { workflows }) => {
  const workflow = anyWorkflow(world)
  const definition = anyDefinition(world.workflows.get(workflow)!, world.random)
  await world.tracking(workflow, () => workflows.replace({ author: SUBMITTER, workflow, definition }))
}

const trigger: Deed = async (world, { workflows }) => {
  const { random, clock } = world
  const scheduledAt = random.chance(0.3)
    ? { scheduledAt: new Date(clock.now() + random.between(1, 5) * HOUR).toISOString() }
    : {}
  await workflows.trigger({ caller: SUBMITTER, workflow: anyWorkflow(world), ...scheduledAt })
}

const cancelItem: Deed = async ({ random, store }) => {
  const status = ['pending', 'queued', 'running'] as const
  const { jobs } = await store.listJobs({ workspace, filters: { status }, limit: 20, cursor: null })
  if (jobs.length === 0) return
  await store.cancelJob({ workspace, jobId: random.pick(jobs).id, reason: 'cancelled_by_user', graceMs: null })
}

const onWorkflow =
  (call: (server: Server, workflow: string) => Promise<unknown>): Deed =>
  async (world, server) => {
    const workflow = anyWorkflow(world)
    await world.tracking(workflow, () => call(server, workflow))
  }

/** Actions of users, each as frequent as it is listed. */
const DEEDS: readonly Deed[] = [
  replace,
  replace,
  trigger,
  trigger,
  trigger,
  cancelItem,
  onWorkflow(({ workflows }, workflow) => workflows.pause({ workspace, workflow })),
  onWorkflow(({ workflows }, workflow) => workflows.pause({ workspace, workflow })),
  onWorkflow(({ workflows }, workflow) => workflows.resume({ workspace, workflow })),
  onWorkflow(({ workflows }, workflow) => workflows.resume({ workspace, workflow })),
  onWorkflow(({ workflows }, workflow) => workflows.resume({ workspace, workflow })),
  onWorkflow(({ workflows }, workflow) => workflows.terminate({ workspace, workflow, graceMs: null })),
  onRun(true, ({ workflows }, runId) => workflows.pauseRun({ workspace, runId })),
  onRun(true, ({ workflows }, runId) => workflows.resumeRun({ workspace, runId })),
  onRun(true, ({ workflows }, runId) => workflows.resumeRun({ workspace, runId })),
  onRun(true, ({ workflows }, runId) => workflows.terminateRun({ workspace, runId, graceMs: null })),
  onRun(false, ({ workflows }, runId) => workflows.retryFailed({ caller: SUBMITTER, runId })),
]

/** An action of a user at some server; a refusal is an answer, any other error is a fault. */
export const doSomething = async (world: World): Promise<void> => {
  const { random, servers } = world
  await attempt(() => random.pick(DEEDS)(world, random.pick(servers)))
}

/** Creates the workflows of the month. */
export const beginWorkflows = async (world: World, count: number): Promise<void> => {
  for (let index = 0; index < count; index++)
    await attempt(() => world.create(anyDefinition(`workflow ${index}`, world.random)))
}

const attempt = async (deed: () => Promise<unknown>): Promise<void> => {
  try {
    await deed()
  } catch (error) {
    if (!(error instanceof MillraceError) && !(error instanceof BrokenLink)) throw error
  }
}
