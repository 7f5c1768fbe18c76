import { setTimeout as sleep } from 'node:timers/promises'
import { submitInBatches } from '../harness/submit-in-batches.ts'
import { waitUntil } from '../harness/wait-until.ts'
import {
  type BenchServerOptions,
  createNoop,
  NOOP_DEFINITION,
  SUBMITTER,
  startBenchServer,
  waitForRest,
} from './bench-server.ts'

const BODY = { command: ['true'] }

/** Latencies of one job in ms. A start that was seen before the acknowledgement counts as 0 after it. */
export type Pickup = { readonly afterCommit: number; readonly afterCall: number }

/** Millrace with the no-op executor: throughput of batches, and how soon a job of an idle server starts. */
export const open = async (options: BenchServerOptions & { submitters?: number }) => {
  let executed = 0
  let onStart: (jobId: string) => void = () => {}
  const noop = createNoop(jobId => {
    executed++
    onStart(jobId)
  })
  const server = await startBenchServer(options, { executors: [noop], definitions: [NOOP_DEFINITION] })
  const submit = (bodies: readonly unknown[]) =>
    server.engine.submit({ submitter: SUBMITTER, bodies, path: bodies.length === 1 ? '' : 'jobs' })

  /** Submits that many jobs a thousand at a time and runs them to their stored end; gives jobs per second. */
  const run = async (jobs: number): Promise<number> => {
    const target = executed + jobs
    const start = performance.now()
    await submitInBatches({ jobs, submitters: options.submitters ?? 1, submit: size => submit(Array(size).fill(BODY)) })
    await waitUntil(() => executed >= target, { what: 'Millrace runs its jobs', withinMs: 120_000, everyMs: 1 })
    await waitForRest(server, 2)
    return (jobs / (performance.now() - start)) * 1000
  }

  /** One run of that many items, from the trigger to the end of the run; gives items per second. */
  const runItems = async ({ items, atOnce }: { items: number; atOnce: number }): Promise<number> => {
    const author = SUBMITTER
    const definition = {
      name: `items-${items}-${atOnce}-${executed}`,
      payload: Array(items).fill(BODY),
      configuration: { max_concurrent_requests: atOnce },
    }
    const { id: workflow } = await server.engine.workflows.create({ author, definition })
    const start = performance.now()
    const { runId } = await server.engine.workflows.trigger({ caller: author, workflow })
    const status = async () => (await server.store.getRun({ workspace: author.workspace, runId }))?.status
    await waitUntil(async () => (await status()) === 'completed', {
      what: 'the run completes',
      withinMs: 120_000,
      everyMs: 5,
    })
    return (items / (performance.now() - start)) * 1000
  }

  const pickUp = async (): Promise<Pickup> => {
    const started = Promise.withResolvers<number>()
    onStart = () => started.resolve(performance.now())
    const called = performance.now()
    await submit([BODY])
    const acknowledged = performance.now()
    const startedAt = await started.promise
    return { afterCommit: Math.max(0, startedAt - acknowledged), afterCall: startedAt - called }
  }

  return {
    run,
    runItems,
    /** Latencies of that many single jobs, each on a server that has come to rest. */
    async pickup(count: number): Promise<readonly Pickup[]> {
      const pickups: Pickup[] = []
      while (pickups.length < count) {
        pickups.push(await pickUp())
        await sleep(3 + Math.random() * 6)
      }
      return pickups
    },
    close: () => server.stop(),
  }
}
