import { toTimestamp } from '../kernel/clock.ts'

type Submitted = { readonly id: string; readonly status: string; readonly createdAt: number }

/** The body of the 201 of `POST /v1/jobs`, as in the document of Zatabase. */
export const singleAnswer = (job: Submitted) => ({
  job_id: job.id,
  status: job.status,
  created_at: toTimestamp(job.createdAt),
})

/** The body of the 201 of `POST /v1/jobs/batch`, in the order of the request. */
export const batchAnswer = (jobs: readonly Submitted[]) => ({
  jobs: jobs.map(job => ({ job_id: job.id, status: job.status })),
})

/** Which answer is kept. */
export type AnswerShape = {
  readonly shape: 'single' | 'batch'
  /** What else the answer to a single one has. */
  readonly more?: Readonly<Record<string, unknown>>
}

/** What is kept for an `Idempotency-Key`: ids and statuses, not the bodies that were submitted. */
export const keptSubmitAnswer = ({ shape, more }: AnswerShape, jobs: readonly Submitted[]) => ({
  status: 201,
  body: JSON.stringify(shape === 'single' ? { ...singleAnswer(jobs[0]!), ...more } : batchAnswer(jobs)),
})
