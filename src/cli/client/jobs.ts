import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { CliFailure } from '../failure.ts'
import type { JobAnswer } from './job-answer.ts'
import { patiently } from './patiently.ts'
import { type ApiRequest, call } from './request.ts'
import type { ServerAddress } from './server-address.ts'

/** The answer to a call that creates a job. */
export type SubmitAnswer = { readonly job_id: string; readonly status: string }

/** The path of a job, or of a resource below it. */
export const jobPath = (jobId: string, rest = ''): string => `/v1/jobs/${encodeURIComponent(jobId)}${rest}`

/** A job in its current state. */
export const getJob = (
  server: ServerAddress,
  jobId: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<JobAnswer> => call<JobAnswer>(server, { path: jobPath(jobId), ...options })

/** Resolves with the job once it has ended. The server may restart meanwhile. */
export const waitForJob = async (server: ServerAddress, jobId: string): Promise<JobAnswer> => {
  // Fails at once if there is no such job, or no server.
  let job = await getJob(server, jobId)
  while (job.finished_at === null)
    job = await patiently(() => call<JobAnswer>(server, { path: jobPath(jobId), query: { wait: 30 } }))
  return job
}

/** Cancels a job. Without `graceSeconds`, the job's own grace period applies. */
export const cancelJob = (server: ServerAddress, jobId: string, graceSeconds?: number): Promise<JobAnswer> =>
  call<JobAnswer>(server, {
    method: 'POST',
    path: jobPath(jobId, '/cancel'),
    ...(graceSeconds === undefined ? {} : { json: { timeout_seconds: graceSeconds } }),
  })

/** The same for a job that is being watched: it may have ended meanwhile. */
export const cancelWatched = async (server: ServerAddress, jobId: string, graceSeconds?: number): Promise<void> => {
  try {
    await cancelJob(server, jobId, graceSeconds)
  } catch (error) {
    if (!(error instanceof CliFailure && error.code === 'job_ended')) throw error
  }
}

const TRIES = 4

/** A POST that creates jobs. Its `Idempotency-Key` makes it safe to retry when the connection broke before the answer: the jobs are created only once. */
export const postOnce = async <T>(server: ServerAddress, request: Omit<ApiRequest, 'method'>): Promise<T> => {
  const headers = { ...request.headers, 'idempotency-key': randomUUID() }
  for (let attempt = 1; ; attempt++) {
    try {
      return await call<T>(server, { ...request, method: 'POST', headers })
    } catch (error) {
      if (attempt === TRIES || !(error instanceof CliFailure) || !mayHaveArrived(error)) throw error
      await delay(250 * attempt)
    }
  }
}

/** The answer was lost, or an earlier try is still running. A server that never answered is a final failure. */
const mayHaveArrived = (error: CliFailure): boolean =>
  error.code === 'no_answer' || error.code === 'idempotency_in_progress'
