import type { FastifyRequest } from 'fastify'
import { noSuchJob } from '../../../engine/not-found.ts'
import type { SubmittedJob } from '../../../store/store.ts'
import { submitterOf } from '../../auth/submitter.ts'
import { keptWithSubmit } from '../../idempotency.ts'
import type { Services } from '../../services.ts'
import { viewJob } from './job-view.ts'
import { type DataJob, isDataJob } from './words.ts'

type Uses = Pick<Services, 'engine' | 'store' | 'data' | 'config'>

/** Submits jobs and answers their submitter. */
export const createStart = ({ engine, store, data, config: { publicUrl } }: Uses) => {
  const read = async ({ caller: { workspace } }: FastifyRequest, jobId: string): Promise<DataJob> => {
    const job = await store.getJob({ workspace, jobId })
    if (job === null || !isDataJob(job)) throw noSuchJob(jobId)
    return job
  }

  const view = async ({ caller: { workspace } }: FastifyRequest, job: DataJob) => {
    const shown = viewJob(job, { catalogue: await data.catalogue(workspace), publicUrl })
    // Clients look for the job at the top level or in `job`.
    return { error: false, ...shown, job: shown }
  }

  /** A job as it was when submitted. */
  const answer = async (request: FastifyRequest, submitted: SubmittedJob) =>
    view(request, asSubmitted(await read(request, submitted.id), submitted))

  return {
    answer,
    start: async (request: FastifyRequest, body: Readonly<Record<string, unknown>>) => {
      // Stores a short answer, which the complete one replaces.
      const kept = keptWithSubmit(request)
      const [submitted] = await engine.submit({ submitter: submitterOf(request), bodies: [body], path: '', ...kept })
      return answer(request, submitted!)
    },
    /** The same job in its current state. */
    show: async (request: FastifyRequest, jobId: string) => view(request, await read(request, jobId)),
  }
}

/** A worker may already have started the job, but the submitter gets its initial status. */
const asSubmitted = (job: DataJob, { status, createdAt }: SubmittedJob): DataJob => ({
  ...job,
  status,
  statusReason: null,
  errorMessage: null,
  startedAt: null,
  updatedAt: createdAt,
  progress: null,
  statistics: null,
})
