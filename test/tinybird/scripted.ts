import { commandDefinition } from '../../src/executors/command/definition.ts'
import { copyDefinition } from '../../src/executors/copy/definition.ts'
import { deleteDefinition } from '../../src/executors/delete/definition.ts'
import type { ExecutionContext, Executor } from '../../src/executors/executor.ts'
import { importDefinition } from '../../src/executors/import/definition.ts'
import { populateDefinition } from '../../src/executors/populate/definition.ts'
import { queryDefinition } from '../../src/executors/query/definition.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import type { ClaimedJob } from '../../src/model/job.ts'
import type { Outcome } from '../../src/model/outcome.ts'
import { type DataScene, openDataScene } from '../data/scene.ts'

const definitions = [
  commandDefinition,
  importDefinition,
  populateDefinition,
  copyDefinition,
  queryDefinition,
  deleteDefinition,
]

/** A server whose jobs do what their names say, so that each can be seen in every status. */
export type ScriptedScene = DataScene & {
  /** Lets jobs named `stubborn` that were cancelled end: until then they stay `cancelling`. */
  readonly release: () => void
  /** Submits a job; its id, once it is in this status. */
  readonly submit: (body: object, status?: string) => Promise<string>
}

export const openScriptedScene = async (clock?: Clock): Promise<ScriptedScene> => {
  let gate = Promise.withResolvers<void>()
  const release = (): void => {
    gate.resolve()
    gate = Promise.withResolvers<void>()
  }
  const executors = definitions.map(
    ({ kind }): Executor => ({ kind, lane: 'network', run: (job, context) => act(job, context, gate.promise) }),
  )
  const scene = await openDataScene({ definitions, executors, ...(clock && { clock }) })
  return {
    ...scene,
    release,
    stop: () => {
      release()
      return scene.stop()
    },
    submit: async (body, status = 'completed') => {
      const { status: code, body: submitted } = await scene.call('POST', '/v1/jobs', body)
      if (code !== 201) throw new Error(JSON.stringify(submitted))
      const path = `/v1/jobs/${submitted.job_id}`
      for (;;) {
        const { body: job } = await scene.call('GET', path)
        if (job.status === status) return submitted.job_id
        if (job.finished_at) throw new Error(`the job is ${job.status}`)
        await new Promise(resolve => setTimeout(resolve, 10))
      }
    },
  }
}

const act = async (job: ClaimedJob, context: ExecutionContext, gate: Promise<void>): Promise<Outcome> => {
  const { stop } = context
  if (job.name === 'fails')
    return { type: 'failed', failure: 'user', reason: 'sql_error', message: 'There is no column x.' }
  if (job.name === 'works' || job.name === 'stubborn') {
    if (job.kind === 'populate') context.progress({ percentage: 50, message: null, steps: STEPS })
    if (!stop.signal.aborted) await new Promise<void>(resolve => stop.onChange(resolve))
    if (job.name === 'stubborn') await gate
    return { type: 'stopped' }
  }
  return { type: 'completed', statistics: STATISTICS }
}

/** As in the document: two of six are done and one is running. */
const STEPS = ['done', 'done', 'working', 'waiting', 'waiting', 'waiting'].map((status, index) => ({
  id: `01900000-0000-7000-8000-00000000000${index}`,
  status,
}))

const STATISTICS = {
  row_count: 50_000_000,
  bytes: 1_592_720_209,
  quarantine_rows: 3,
  invalid_lines: 2,
  rows_deleted: 7,
  delimiter: ',',
}
