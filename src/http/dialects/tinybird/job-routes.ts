import { noSuchJob } from '../../../engine/not-found.ts'
import { MillraceError } from '../../../kernel/errors.ts'
import type { App } from '../../app.ts'
import { Id } from '../../schemas/basics.ts'
import type { Services } from '../../services.ts'
import { givenFields, readFields } from './fields.ts'
import { viewJob, viewListedJob } from './job-view.ts'
import { isKnown, LIST_FIELDS, listJobs } from './list-jobs.ts'
import { mount, namesIn } from './mount.ts'
import { type DataJob, isCancellable, isDataJob, wordOfStatus } from './words.ts'

type Target = { readonly workspace: string; readonly jobId: string }

/** Reading and cancelling data jobs. */
export const jobRoutes = (app: App, { store, data, config: { publicUrl } }: Services): void => {
  const show = async (workspace: string, job: DataJob) =>
    viewJob(job, { catalogue: await data.catalogue(workspace), publicUrl })

  /** Throws `not_found`, also for a job that this API does not show because of its kind or age. */
  const getJob = async (target: Target): Promise<DataJob> => {
    const job = await store.getJob(target)
    if (job === null || !isKnown(job, await store.now())) throw noSuchJob(target.jobId)
    return job
  }

  mount(app, {
    method: 'GET',
    path: '/jobs',
    summary: 'The last 100 jobs of the last 48 hours',
    description: 'Imports, populates, copies, queries and deletes, newest first.',
    fields: LIST_FIELDS,
    answer: async request => {
      const { workspace } = request.caller
      const catalogue = await data.catalogue(workspace)
      const filters = readFields(givenFields(request), LIST_FIELDS)
      const jobs = await listJobs({ store, workspace, catalogue, filters })
      return { jobs: jobs.map(job => viewListedJob(job, { catalogue, publicUrl })) }
    },
  })

  mount(app, {
    method: 'GET',
    path: '/jobs/:job_id',
    summary: 'One job, for 48 hours from its creation',
    params: { job_id: Id },
    answer: async request => {
      const { workspace } = request.caller
      return show(workspace, await getJob({ workspace, jobId: namesIn<'job_id'>(request).job_id }))
    },
  })

  mount(app, {
    method: 'POST',
    path: '/jobs/:job_id/cancel',
    summary: 'Cancel a waiting or running job',
    params: { job_id: Id },
    answer: async request => {
      const { workspace } = request.caller
      const target = { workspace, jobId: namesIn<'job_id'>(request).job_id }
      const job = await getJob(target)
      if (!isCancellable(job)) throw uncancellable(job)
      const outcome = await store.cancelJob({ ...target, reason: 'cancelled_by_user', graceMs: null })
      if (outcome.type === 'not_found' || !isDataJob(outcome.job)) throw noSuchJob(target.jobId)
      // Of two concurrent calls, only one has cancelled it.
      if (outcome.type === 'ended' || !outcome.isNew) throw uncancellable(outcome.job)
      return show(workspace, outcome.job)
    },
  })
}

const uncancellable = (job: DataJob): MillraceError =>
  new MillraceError(
    job.status === 'cancelling' ? 'job_cancelling' : 'job_ended',
    `The job is not in a cancellable status: it is ${wordOfStatus(job.status)}.`,
  )
