import { Logger, makeWorkerUtils, run } from 'graphile-worker'
import { Pool } from 'pg'
import { submitInBatches } from '../harness/submit-in-batches.ts'
import { waitUntil } from '../harness/wait-until.ts'

/**
 * graphile-worker 0.18 as fast as it goes: what its documentation names (Performance) is local queue, batched completion
 * without delay and jobs added a thousand at a time; on two cores a local queue of 2,000 with 128 at once was faster than
 * the 500 and 24 printed there (20 k against 17 k jobs/s; also tried: 8 and 64 at once, a queue of 1,000, a delay of
 * 5 ms). It deletes a job when it is done: it keeps no history.
 */
const FASTEST = { concurrentJobs: 128, maxPoolSize: 25, localQueueSize: 2000, completeJobBatchDelay: 0 }

type Options = { readonly url: string; readonly submitters?: number; readonly tuning?: Partial<typeof FASTEST> }

/** Opens the peer; `run` submits that many jobs, runs them to their end and gives jobs per second. */
export const open = async (options: Options) => {
  const tuning = { ...FASTEST, ...options.tuning }
  const utils = await makeWorkerUtils({ connectionString: options.url })
  await utils.migrate()
  let executed = 0
  const runner = await run({
    preset: {
      worker: {
        connectionString: options.url,
        concurrentJobs: tuning.concurrentJobs,
        maxPoolSize: tuning.maxPoolSize,
        localQueue: { size: tuning.localQueueSize },
        completeJobBatchDelay: tuning.completeJobBatchDelay,
        failJobBatchDelay: 0,
      },
    },
    taskList: { noop: () => void executed++ },
    noHandleSignals: true,
    logger: new Logger(() => () => {}),
  })
  const pool = new Pool({ connectionString: options.url, max: 1 })
  return {
    async run(jobs: number): Promise<number> {
      const target = executed + jobs
      const start = performance.now()
      const submit = (size: number) => utils.addJobs(batch(size))
      await submitInBatches({ jobs, submitters: options.submitters ?? 1, submit })
      await waitUntil(() => executed >= target, {
        what: 'graphile-worker runs its jobs',
        withinMs: 120_000,
        everyMs: 1,
      })
      await waitUntil(() => isEmpty(pool), { what: 'graphile-worker ends its jobs', withinMs: 60_000, everyMs: 2 })
      return (jobs / (performance.now() - start)) * 1000
    },
    async close() {
      await runner.stop()
      await utils.release()
      await pool.end()
    },
  }
}

const batch = (size: number) =>
  Array.from({ length: size }, (_, index) => ({ identifier: 'noop', payload: { command: ['true'], index } }))

const isEmpty = async (pool: Pool): Promise<boolean> => {
  const { rows } = await pool.query('SELECT 1 FROM graphile_worker._private_jobs LIMIT 1')
  return rows.length === 0
}
