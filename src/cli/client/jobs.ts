import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { CliFailure } from '../failure.ts'
import type { JobAnswer } from './job-answer.ts'
import { type ApiRequest, call } from './request.ts'
import type { ServerAddress } from './server-address.ts'

export type SubmitAnswer = { readonly job_id: string; readonly status: string }

/** The path of a job, or of something of it. */
export const jobPath = (jobId: string, rest = ''): string => `/v1/jobs/${encodeURIComponent(jobId)}${rest}`

export const getJob = (server: ServerAddress, jobId: string): Promise<JobAnswer> =>
  call<JobAnswer>(server, { path: jobPath(jobId) })

/** Resolves with the job when it has ended. */
export const waitForJob = async (server: ServerAddress, jobId: string): Promise<JobAnswer> => {
  while (true) {
    const job = await call<JobAnswer>(server, { path: jobPath(jobId), query: { wait: 30 } })
    if (job.finished_at !== null) return job
  }
}

/** A cancel; without `graceSeconds` the job's own grace holds. */
export const cancelJob = (server: ServerAddress, jobId: string, graceSeconds?: number): Promise<JobAnswer> =>
  call<JobAnswer>(server, {
    method: 'POST',
    path: jobPath(jobId, '/cancel'),
    ...(graceSeconds === undefined ? {} : { json: { timeout_seconds: graceSeconds } }),
  })

const TRIES = 4

/**
 * A POST that makes jobs. It carries an `Idempotency-Key`, so it can be sent again when the connection broke before the
 * answer came, and still makes them once.
 */
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

/** The answer was lost, or the first of these requests is still at work; a server that never answered refuses for good. */
const mayHaveArrived = (error: CliFailure): boolean =>
  error.code === 'no_answer' || error.code === 'idempotency_in_progress'
