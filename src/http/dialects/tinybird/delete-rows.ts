import type { FastifyRequest } from 'fastify'
import { ERRORS, MillraceError, type RequestErrorCode } from '../../../kernel/errors.ts'
import type { Job } from '../../../model/job.ts'
import type { Services } from '../../services.ts'
import { createStart } from './start-job.ts'

/** How long to wait for a count, so that the answer is a number and not a job. */
const COUNT_MS = 10_000

type Deletion = { readonly datasource: string; readonly condition?: string; readonly dry_run?: true }

/**
 * Starts a job that deletes rows. A dry run is answered after counting, or with the running job if that takes long. If it fails, the request is refused,
 * because there is no number to return.
 */
export const createDelete = (services: Services) => {
  const { engine, store } = services
  const { start, show } = createStart(services)
  return async (request: FastifyRequest, deletion: Deletion) => {
    const job = await start(request, { delete: deletion })
    if (!deletion.dry_run) return job
    const named = { workspace: request.caller.workspace, jobId: job.id }
    await engine.events.waitForEnd({ ...named, timeoutMs: COUNT_MS })
    const refusal = refusalOf(await store.getJob(named))
    if (refusal !== null) throw refusal
    return show(request, job.id)
  }
}

/** null: it has not failed, or not for a reason with which a request can be refused. */
const refusalOf = (job: Job | null): MillraceError | null => {
  if (job?.status !== 'failed' || !isCodeOfRequests(job.statusReason)) return null
  return new MillraceError(job.statusReason, job.errorMessage ?? undefined)
}

const isCodeOfRequests = (code: string | null): code is RequestErrorCode =>
  code !== null && code in ERRORS && 'http' in ERRORS[code as keyof typeof ERRORS]
