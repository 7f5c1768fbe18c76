import type { FastifyRequest } from 'fastify'
import type { Services } from '../../services.ts'
import { createStart } from './start-job.ts'

/** A count is waited for so long: its answer is a number, not a job. */
const COUNT_MS = 10_000

type Deletion = { readonly datasource: string; readonly condition?: string; readonly dry_run?: true }

/** Starts a job that deletes. A dry run answers when it has counted, or as a job that goes on when that takes long. */
export const createDelete = (services: Services) => {
  const { engine } = services
  const { start, show } = createStart(services)
  return async (request: FastifyRequest, deletion: Deletion) => {
    const job = await start(request, { delete: deletion })
    if (!deletion.dry_run) return job
    await engine.events.waitForEnd({ workspace: request.caller.workspace, jobId: job.id, timeoutMs: COUNT_MS })
    return show(request, job.id)
  }
}
