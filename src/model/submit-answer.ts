import { toTimestamp } from '../kernel/clock.ts'

type Submitted = { readonly id: string; readonly status: string; readonly createdAt: number }

/** The body of the 201 of `POST /v1/jobs`, as in the Zatabase document. */
export const singleAnswer = (job: Submitted) => ({
  job_id: job.id,
  status: job.status,
  created_at: toTimestamp(job.createdAt),
})

/** The body of the 201 of `POST /v1/jobs/batch`, in the order of the request. */
export const batchAnswer = (jobs: readonly Submitted[]) => ({
  jobs: jobs.map(job => ({ job_id: job.id, status: job.status })),
})

/** Which answer is stored. */
export type AnswerShape = {
  readonly shape: 'single' | 'batch'
  /** Additional fields of the answer for a single job. */
  readonly more?: Readonly<Record<string, unknown>>
}

/** What is stored for an `Idempotency-Key`: ids and statuses, not the submitted bodies. */
export const keptSubmitAnswer = ({ shape, more }: AnswerShape, jobs: readonly Submitted[]) => ({
  status: 201,
  body: JSON.stringify(shape === 'single' ? { ...singleAnswer(jobs[0]!), ...more } : batchAnswer(jobs)),
})
