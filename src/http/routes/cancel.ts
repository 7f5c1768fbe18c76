import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { noSuchJob } from '../../engine/not-found.ts'
import { MillraceError } from '../../kernel/errors.ts'
import { viewJob } from '../../model/job-view.ts'
import type { App } from '../app.ts'
import { SMALL_BODY } from '../bodies/json-body.ts'
import { mergeFilters, toJobFilters } from '../lists/job-filters.ts'
import { JobPath } from '../schemas/basics.ts'
import { CancelBody, FilterQuery, JobSchema } from '../schemas/job.ts'
import type { Services } from '../services.ts'
import { graceOf } from '../time.ts'

/** The most jobs that one statement of the store cancels. */
const CANCEL_BATCH = 1000

/** Cancelling and purging jobs. */
export const cancelRoutes = (app: App, { store, engine, config }: Services): void => {
  const cancel = async (request: FastifyRequest, { jobId, graceMs }: { jobId: string; graceMs: number | null }) => {
    const { workspace } = request.caller
    const outcome = await store.cancelJob({ workspace, jobId, reason: 'cancelled_by_user', graceMs })
    if (outcome.type === 'not_found') throw noSuchJob(jobId)
    if (outcome.type === 'ended') throw new MillraceError('job_ended', `The job is ${outcome.job.status}.`)
    return viewJob(outcome.job, config)
  }

  app.post(
    '/v1/jobs/:job_id/cancel',
    {
      schema: {
        tags: ['Jobs'],
        summary: 'Cancel a job',
        description: 'Can be repeated, but only to shorten the grace period.',
        params: JobPath,
        body: CancelBody,
        response: { 200: JobSchema },
      },
      config: { optionalBody: true },
      bodyLimit: SMALL_BODY,
    },
    async request => cancel(request, { jobId: request.params.job_id, graceMs: graceOf(request.body) }),
  )

  app.delete(
    '/v1/jobs/:job_id',
    { schema: { tags: ['Jobs'], summary: 'Cancel a job', params: JobPath, response: { 200: JobSchema } } },
    async request => cancel(request, { jobId: request.params.job_id, graceMs: null }),
  )

  app.post(
    '/v1/jobs/cancel',
    {
      schema: {
        tags: ['Jobs'],
        summary: 'Cancel all matching jobs',
        description:
          'Takes the filters of the list, as query parameters or in the body. Without filters it cancels every job of the workspace.',
        querystring: FilterQuery,
        body: FilterQuery,
        response: { 200: Type.Object({ cancelled: Type.Integer(), cancelling: Type.Integer() }) },
      },
      config: { optionalBody: true },
      bodyLimit: SMALL_BODY,
    },
    async request => {
      const filters = toJobFilters(mergeFilters(request.query, request.body))
      const total = { cancelled: 0, cancelling: 0 }
      if (filters === null) return total
      const input = { workspace: request.caller.workspace, filters, reason: 'cancelled_by_user' as const }
      for (;;) {
        const { cancelled, cancelling } = await store.cancelMatching({ ...input, limit: CANCEL_BATCH })
        if (cancelled + cancelling === 0) return total
        total.cancelled += cancelled
        total.cancelling += cancelling
      }
    },
  )

  app.post(
    '/v1/jobs/:job_id/purge',
    {
      schema: {
        tags: ['Jobs'],
        summary: 'Purge an ended job',
        description:
          'Deletes the job with its log, attempts, result and artifacts. Refused with `delivery_pending` while a delivery to a sink is pending.',
        params: JobPath,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const jobId = request.params.job_id
      const outcome = await engine.purge({ workspace: request.caller.workspace, jobId })
      if (outcome === 'not_found') throw noSuchJob(jobId)
      if (outcome === 'not_ended') throw new MillraceError('job_not_ended')
      if (outcome === 'delivery_pending') throw new MillraceError('delivery_pending', stillTold(jobId))
      return reply.code(204).send(null)
    },
  )
}

const stillTold = (jobId: string): string =>
  `A sink has not been notified of the end of the job yet: see GET /v1/deliveries?job_id=${jobId}&status=pending. The job can be purged when no delivery is pending, after a day at the latest.`
