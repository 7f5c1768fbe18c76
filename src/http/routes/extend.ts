import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { noSuchJob } from '../../engine/not-found.ts'
import { MillraceError } from '../../kernel/errors.ts'
import type { App } from '../app.ts'
import { JobPath } from '../schemas/basics.ts'
import { ExtendBody } from '../schemas/job.ts'
import type { Services } from '../services.ts'

/** Requests of a running job: to add items to its run, or to restart its timeout. */
export const extendRoutes = (app: App, { store, engine }: Services): void => {
  /** The attempt in question: the caller's own, or the one running now. */
  const attemptOf = async ({ caller }: FastifyRequest, jobId: string): Promise<number> => {
    if (caller.job) return caller.job.attempt
    const job = await store.getJob({ workspace: caller.workspace, jobId })
    if (job === null) throw noSuchJob(jobId)
    if (job.status !== 'running') throw new MillraceError('job_not_running', `The job is ${job.status}.`)
    return job.attempt
  }

  const restartTimeout = async (input: { workspace: string; jobId: string; attempt: number }): Promise<void> => {
    const outcome = await store.restartTimeout(input)
    if (outcome === 'not_found') throw noSuchJob(input.jobId)
    if (outcome === 'not_running') throw new MillraceError('job_not_running')
  }

  app.post(
    '/v1/jobs/:job_id/extend',
    {
      schema: {
        tags: ['Jobs'],
        summary: 'Add items to the run of a running job, or restart its timeout',
        description:
          "For use inside the job, with its own token. The items join the run when this job completes, and are dropped if its attempt fails. With a user's token, a payload also needs the scope `workflows:write`.",
        params: JobPath,
        body: ExtendBody,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { payload, timeout } = request.body
      const { workspace } = request.caller
      const jobId = request.params.job_id
      if (payload) requireWorkflows(request)
      const input = { workspace, jobId, attempt: await attemptOf(request, jobId) }
      if (payload) await engine.workflows.extend({ ...input, items: payload, scopes: request.caller.scopes })
      if (timeout) await restartTimeout(input)
      return reply.code(204).send(null)
    },
  )
}

/**
 * The engine checks which items may be run. A caller other than the job itself must also be allowed to change workflows, because items get the run's secrets.
 */
const requireWorkflows = ({ caller }: FastifyRequest): void => {
  if (!caller.job && !caller.scopes.includes('workflows:write'))
    throw new MillraceError('forbidden', 'Adding items to a run from outside needs the scope workflows:write.')
}
