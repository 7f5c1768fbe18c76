import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { submitInBatches } from '../harness/submit-in-batches.ts'
import { waitUntil } from '../harness/wait-until.ts'

/**
 * BullMQ 6 on a Redis that acknowledges after fsync (`appendfsync always`), jobs added by `addBulk` a thousand at a
 * time, completed jobs kept (its default). Of 50, 100, 200
 * and 400 at once, 100 was the fastest on two cores.
 */
const CONCURRENCY = 100

/** Opens the peer; `run` submits that many jobs, runs them to their end and gives jobs per second. */
export const open = async (options: { port: number; concurrency?: number; submitters?: number }) => {
  const connection = new Redis({ host: '127.0.0.1', port: options.port, maxRetriesPerRequest: null })
  const queue = new Queue('noop', { connection })
  let completed = 0
  const worker = new Worker('noop', async () => null, { connection, concurrency: options.concurrency ?? CONCURRENCY })
  worker.on('completed', () => void completed++)
  await worker.waitUntilReady()
  return {
    async run(jobs: number): Promise<number> {
      const target = completed + jobs
      const start = performance.now()
      const submit = (size: number) => queue.addBulk(batch(size))
      await submitInBatches({ jobs, submitters: options.submitters ?? 1, submit })
      await waitUntil(() => completed >= target, { what: 'BullMQ runs its jobs', withinMs: 180_000, everyMs: 1 })
      return (jobs / (performance.now() - start)) * 1000
    },
    async close() {
      await worker.close()
      await queue.close()
      connection.disconnect()
    },
  }
}

const batch = (size: number) =>
  Array.from({ length: size }, (_, index) => ({ name: 'noop', data: { command: ['true'], index } }))
