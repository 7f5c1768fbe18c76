import Type from 'typebox'
import type { KindDefinition } from '../../../src/executors/kind-definition.ts'
import type { Clock } from '../../../src/kernel/clock.ts'
import { MillraceError } from '../../../src/kernel/errors.ts'
import type { ClaimedJob, Job } from '../../../src/model/job.ts'
import type { JobStatus } from '../../../src/model/job-status.ts'
import type { Outcome } from '../../../src/model/outcome.ts'
import { ENDED_RUN_STATUSES, type Run, type RunStatus, type Slot } from '../../../src/model/workflow.ts'
import type { Store, StoreSignal } from '../../../src/store/store.ts'
import { type EngineOptions, type Script, SUBMITTER, startEngine, type TestEngine } from '../harness.ts'

const WORKSPACE = 'default'
const WAIT_MS = 30_000

export const done: Outcome = { type: 'completed', exit: { exitCode: 0, signal: null } }
export const broken: Outcome = {
  type: 'failed',
  failure: 'user',
  reason: 'exit_code',
  message: 'exit code 1',
  exit: { exitCode: 1, signal: null },
}

/** Functions that exist; others are refused as in the product. */
export const functions = new Set(['scrape', 'detail'])

/** Functions with the properties of kind `api`: they take parameters and an environment. */
export const apiDefinition: KindDefinition = {
  kind: 'api',
  properties: {
    api: Type.String(),
    parameters: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    environment: Type.Optional(Type.Record(Type.String(), Type.String())),
  },
  secretMaps: ['environment'],
  timeout: { defaultMs: 600_000, maximumMs: 3_600_000 },
  merges: { environment: true, parameters: true },
  check: body => (functions.has(body.api as string) ? [] : [{ path: 'api', message: 'there is no such function' }]),
}

/** Real time that a test can set forward and back. Monotonic time is not affected. */
export class ShiftedClock implements Clock {
  shift = 0
  now = (): number => Date.now() + this.shift
  monotonic = (): number => performance.now()
}

type Workflow = Readonly<Record<string, unknown>>

export type Scene = TestEngine & {
  readonly workflows: TestEngine['engine']['workflows']
  /** Makes all loops run, as if a timer had fired: for clocks that jump. */
  readonly wake: () => void
  /** Creates a workflow of one command and returns its id. */
  readonly create: (definition?: Workflow) => Promise<string>
  readonly trigger: (workflow: string) => Promise<string>
  readonly run: (runId: string) => Promise<Run>
  readonly untilRun: (runId: string, condition: (run: Run) => boolean) => Promise<Run>
  readonly runEnded: (runId: string) => Promise<Run>
  /** In order of submission. */
  readonly items: (runId: string) => Promise<readonly Job[]>
  readonly untilItems: (runId: string, condition: (jobs: readonly Job[]) => boolean) => Promise<readonly Job[]>
  readonly runsOf: (workflow: string) => Promise<readonly Run[]>
  /** Oldest first. */
  readonly slotsOf: (workflow: string) => Promise<readonly Slot[]>
}

/** An engine with workflows, over a real store. */
export const openScene = async (options: Partial<EngineOptions> & { script: Script }): Promise<Scene> => {
  const listeners = new Set<(signal: StoreSignal) => void>()
  const wrapStore = (store: Store): Store => ({
    ...(options.wrapStore?.(store) ?? store),
    onSignal: listener => {
      listeners.add(listener)
      const stop = store.onSignal(listener)
      return () => {
        listeners.delete(listener)
        stop()
      }
    },
  })
  const wake = (): void => {
    for (const listener of listeners)
      for (const type of ['schedule', 'pending', 'queued', 'cancel'] as const) listener({ type })
  }
  // Running jobs are told to stop at once when a test ends.
  const settings = { 'shutdown-grace': '1ms', ...options.settings }
  const test = await startEngine({ otherKinds: [apiDefinition], ...options, settings, wrapStore })
  return { ...test, wake, ...calls(test) }
}

const calls = ({ engine, store }: TestEngine) => {
  const { workflows } = engine
  const run = async (runId: string): Promise<Run> => (await store.getRun({ workspace: WORKSPACE, runId }))!
  const items = async (runId: string): Promise<readonly Job[]> => {
    const { jobs } = await store.listJobs({ workspace: WORKSPACE, filters: { runId }, limit: 500, cursor: null })
    return jobs.toReversed()
  }
  const untilRun = (runId: string, condition: (run: Run) => boolean) => until(() => run(runId), condition, 'run')
  return {
    workflows,
    run,
    items,
    untilRun,
    untilItems: (runId: string, condition: (jobs: readonly Job[]) => boolean) =>
      until(() => items(runId), condition, 'items'),
    runEnded: (runId: string) => untilRun(runId, ({ status }) => isEndedRun(status)),
    create: async (definition: Workflow = {}): Promise<string> => {
      const author = SUBMITTER
      return (
        await workflows.create({ author, definition: { name: 'test', payload: [{ command: 'x' }], ...definition } })
      ).id
    },
    trigger: async (workflow: string): Promise<string> =>
      (await workflows.trigger({ caller: SUBMITTER, workflow })).runId,
    runsOf: async (workflowId: string): Promise<readonly Run[]> => {
      const found = await store.listRuns({ workspace: WORKSPACE, filters: { workflowId }, limit: 100, cursor: null })
      return found.runs.toReversed()
    },
    slotsOf: async (workflow: string): Promise<readonly Slot[]> => {
      const found = await store.listSlots({ workspace: WORKSPACE, workflow, limit: 500, cursor: null })
      return found!.slots.toReversed()
    },
  }
}

const isEndedRun = (status: RunStatus): boolean => (ENDED_RUN_STATUSES as readonly RunStatus[]).includes(status)

/** Polls until the condition holds, and fails with the last value. */
export const until = async <T>(ask: () => Promise<T>, condition: (value: T) => boolean, about: string): Promise<T> => {
  for (const end = Date.now() + WAIT_MS; ; ) {
    const value = await ask()
    if (condition(value)) return value
    if (Date.now() > end) throw new Error(`waited too long for ${about}: ${JSON.stringify(value)}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

export const statusesOf = (jobs: readonly Job[]): readonly JobStatus[] => jobs.map(job => job.status)

/** The code that a call is refused with. */
export const codeOf = async (call: Promise<unknown>): Promise<string> => (await refusalOf(call)).code

export const refusalOf = async (call: Promise<unknown>): Promise<MillraceError> => {
  try {
    await call
  } catch (error) {
    if (error instanceof MillraceError) return error
    throw error
  }
  throw new Error('it was not refused')
}

/** Attempts that wait until the test releases them, each with its stop cause. */
export const createGate = () => {
  const waiting = new Map<string, (outcome: Outcome) => void>()
  const script: Script = (job: ClaimedJob, { stop }) =>
    new Promise(resolve => {
      waiting.set(job.id, resolve)
      const stopped = (): void => {
        waiting.delete(job.id)
        resolve({ type: 'stopped' })
      }
      if (stop.cause) stopped()
      stop.onChange(stopped)
    })
  const release = (jobId: string, outcome: Outcome = done): void => {
    const resolve = waiting.get(jobId)
    if (!resolve) throw new Error(`job ${jobId} does not run`)
    waiting.delete(jobId)
    resolve(outcome)
  }
  return {
    script,
    release,
    releaseAll: (outcome: Outcome = done): void => {
      for (const jobId of [...waiting.keys()]) release(jobId, outcome)
    },
    get running(): number {
      return waiting.size
    },
  }
}
