import { submitInBatches } from '../harness/submit-in-batches.ts'
import {
  type BenchServerOptions,
  createNoop,
  NOOP_DEFINITION,
  SUBMITTER,
  startBenchServer,
  waitForRest,
} from './bench-server.ts'

/** Millrace with the no-op executor, whose jobs are told to a receiver. */
export const open = async (options: BenchServerOptions) => {
  const server = await startBenchServer(options, { executors: [createNoop(() => {})], definitions: [NOOP_DEFINITION] })
  const submit = (bodies: readonly unknown[]) => server.engine.submit({ submitter: SUBMITTER, bodies, path: 'jobs' })
  return {
    /** Submits that many jobs with a sink, and as many without beside each of them as `others` says; does not wait for their end. */
    async run({ jobs, others, url, secret }: { jobs: number; others: number; url: string; secret: string }) {
      const told = { command: ['true'], sinks: [{ type: 'webhook', url, secret }] }
      const bodies = [told, ...Array<unknown>(others).fill({ command: ['true'] })]
      await submitInBatches({
        jobs: jobs * bodies.length,
        submitters: 1,
        submit: size => submit(Array.from({ length: size }, (_, index) => bodies[index % bodies.length])),
      })
    },
    rest: () => waitForRest(server, 5),
    close: () => server.stop(),
  }
}
