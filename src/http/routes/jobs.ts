import type { FastifyReply } from 'fastify'
import Type from 'typebox'
import { noSuchJob } from '../../engine/not-found.ts'
import { MillraceError } from '../../kernel/errors.ts'
import { isEnded } from '../../model/job-status.ts'
import { viewAttempt, viewJob } from '../../model/job-view.ts'
import type { App } from '../app.ts'
import { SMALL_BODY } from '../bodies/json-body.ts'
import { createJobList } from '../lists/list-jobs.ts'
import type { LiveStreams } from '../live-streams.ts'
import { JobPath } from '../schemas/basics.ts'
import { AttemptList, JobPage, JobSchema, ListQuery, ProgressBody, WaitQuery } from '../schemas/job.ts'
import type { Services } from '../services.ts'

type Dependencies = Services & { readonly streams: LiveStreams }

/** Reading jobs, and the progress that jobs report. */
export const jobRoutes = (app: App, services: Dependencies): void => {
  const { store, engine, config } = services
  const read = createRead(services)
  const list = createJobList(services)

  app.get(
    '/v1/jobs',
    {
      schema: {
        tags: ['Jobs'],
        summary: 'List jobs, newest first',
        querystring: ListQuery,
        response: { 200: JobPage },
      },
    },
    async request => list(request, request.query),
  )

  app.get(
    '/v1/jobs/:job_id',
    {
      schema: {
        tags: ['Jobs'],
        summary: 'One job',
        params: JobPath,
        querystring: WaitQuery,
        response: { 200: JobSchema },
      },
    },
    async (request, reply) => {
      const input = { workspace: request.caller.workspace, jobId: request.params.job_id }
      const waitMs = (request.query.wait ?? 0) * 1000
      return viewJob(await read({ ...input, waitMs, reply }), config)
    },
  )

  app.get(
    '/v1/jobs/:job_id/attempts',
    {
      schema: {
        tags: ['Jobs'],
        summary: 'List the attempts of a job',
        params: JobPath,
        response: { 200: AttemptList },
      },
    },
    async request => {
      const jobId = request.params.job_id
      const attempts = await store.listAttempts({ workspace: request.caller.workspace, jobId })
      if (attempts === null) throw noSuchJob(jobId)
      return { attempts: attempts.map(viewAttempt) }
    },
  )

  app.post(
    '/v1/jobs/:job_id/progress',
    {
      schema: {
        tags: ['Jobs'],
        summary: 'Report the progress of a running job',
        description: 'For use inside the job, with its own token.',
        params: JobPath,
        body: ProgressBody,
        response: { 204: Type.Null() },
      },
      bodyLimit: SMALL_BODY,
    },
    async (request, reply) => {
      const { percentage = null, message = null } = request.body
      const jobId = request.params.job_id
      const outcome = await engine.tellProgress({
        workspace: request.caller.workspace,
        jobId,
        attempt: request.caller.job?.attempt ?? null,
        progress: { percentage, message },
      })
      if (outcome === 'not_found') throw noSuchJob(jobId)
      if (outcome === 'not_running') throw new MillraceError('job_not_running')
      return reply.code(204).send(null)
    },
  )
}

/** Reads a job. If requested, waits for its end, as long as the client stays connected. */
const createRead =
  ({ store, engine, streams }: Dependencies) =>
  async (input: Reading) => {
    const { workspace, jobId, waitMs, reply } = input
    const job = await store.getJob({ workspace, jobId })
    if (job === null) throw noSuchJob(jobId)
    if (waitMs === 0 || isEnded(job.status)) return job
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort())
    const signal = AbortSignal.any([gone.signal, streams.closing])
    await engine.events.waitForEnd({ workspace, jobId, timeoutMs: waitMs, signal })
    return (await store.getJob({ workspace, jobId })) ?? job
  }

type Reading = {
  readonly workspace: string
  readonly jobId: string
  readonly waitMs: number
  readonly reply: FastifyReply
}
