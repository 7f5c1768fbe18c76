import { toTimestamp } from '../../kernel/clock.ts'
import type { App } from '../app.ts'
import { WorkerList } from '../schemas/system.ts'
import type { Services } from '../services.ts'

/** The workers of this installation, with what each runs. */
export const workerRoutes = (app: App, { store }: Services): void => {
  app.get(
    '/v1/workers',
    { schema: { tags: ['Operations'], summary: 'List the workers', response: { 200: WorkerList } } },
    async () => {
      const workers = await store.listWorkers()
      return {
        workers: workers.map(worker => ({
          worker_id: worker.id,
          host: worker.host,
          pid: worker.pid,
          roles: [...worker.roles],
          slots: worker.slots,
          running: worker.running,
          started_at: toTimestamp(worker.startedAt),
          seen_at: toTimestamp(worker.seenAt),
        })),
      }
    },
  )
}
