import type { FastifyRequest } from 'fastify'
import type { Submission } from '../../engine/engine.ts'
import { invalidField, refuseFields } from '../../kernel/errors.ts'
import { isPlainObject } from '../../kernel/plain-object.ts'
import { batchAnswer, singleAnswer } from '../../model/submit-answer.ts'
import type { App } from '../app.ts'
import { submitterOf } from '../auth/submitter.ts'
import { keptWithWork } from '../idempotency.ts'
import { JobPath } from '../schemas/basics.ts'
import { Submitted, SubmittedBatch } from '../schemas/job.ts'
import { BatchBody, JobBody, MOST_JOBS } from '../schemas/job-body.ts'
import type { Services } from '../services.ts'
import { unchecked } from '../validation.ts'

/** Submitting one job or many, and rerunning one. */
export const submitRoutes = (app: App, { engine, config }: Services): void => {
  const location = (jobId: string): string => `${config.publicUrl}/v1/jobs/${jobId}`

  app.post(
    '/v1/jobs',
    {
      schema: { tags: ['Jobs'], summary: 'Submit a job', body: JobBody, response: { 201: Submitted } },
      config: { keepsAnswer: true },
      validatorCompiler: unchecked,
    },
    async (request, reply) => {
      const input = { submitter: submitterOf(request), bodies: [request.body], path: '' as const }
      const [job] = await engine.submit(withKey(request, { input, shape: 'single' }))
      keptWithWork(request)
      return reply.code(201).header('location', location(job!.id)).send(singleAnswer(job!))
    },
  )

  app.post(
    '/v1/jobs/batch',
    {
      schema: {
        tags: ['Jobs'],
        summary: 'Submit many jobs, all or nothing',
        body: BatchBody,
        response: { 201: SubmittedBatch },
      },
      config: { keepsAnswer: true },
      validatorCompiler: unchecked,
    },
    async (request, reply) => {
      const input = { submitter: submitterOf(request), bodies: jobsOf(request.body), path: 'jobs' as const }
      const jobs = await engine.submit(withKey(request, { input, shape: 'batch' }))
      keptWithWork(request)
      return reply.code(201).send(batchAnswer(jobs))
    },
  )

  app.post(
    '/v1/jobs/:job_id/rerun',
    {
      config: { keepsAnswer: true },
      schema: { tags: ['Jobs'], summary: 'Rerun a job', params: JobPath, response: { 201: Submitted } },
    },
    async (request, reply) => {
      const idempotency = request.firstCall?.key
      const job = await engine.rerun({
        submitter: submitterOf(request),
        jobId: request.params.job_id,
        ...(idempotency && { idempotency }),
      })
      keptWithWork(request)
      return reply.code(201).header('location', location(job.id)).send(singleAnswer(job))
    },
  )
}

type Unkeyed = { readonly input: Omit<Submission, 'idempotency'>; readonly shape: 'single' | 'batch' }

const withKey = ({ firstCall }: FastifyRequest, { input, shape }: Unkeyed): Submission =>
  firstCall ? { ...input, idempotency: { key: firstCall.key, shape } } : input

const jobsOf = (body: unknown): readonly unknown[] => {
  if (!isPlainObject(body)) throw invalidField('', 'must be an object with jobs')
  const { jobs, ...others } = body
  refuseFields(Object.keys(others).map(path => ({ path, message: 'is not a known field' })))
  if (!Array.isArray(jobs) || jobs.length === 0 || jobs.length > MOST_JOBS)
    throw invalidField('jobs', `must be a list of 1 to ${MOST_JOBS} job bodies`)
  return jobs
}
