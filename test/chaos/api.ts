import { setTimeout as sleep } from 'node:timers/promises'
import { TOKEN } from './server-process.ts'

export type JobView = {
  readonly job_id: string
  readonly status: string
  readonly status_reason: string | null
  readonly exit_code: number | null
  readonly attempt: number
  readonly system_attempts: number
}
export type LogLineView = {
  readonly seq: number
  readonly attempt: number
  readonly stream: string
  readonly line: string
}

type Answer = { readonly status: number; readonly body: string }

/** One call of the HTTP API. Rejects when the server goes away before it has answered. */
export const call = async (
  url: string,
  path: string,
  options: { method?: string; body?: unknown; key?: string; accept?: string } = {},
): Promise<Answer> => {
  const answer = await fetch(url + path, {
    method: options.method ?? 'GET',
    headers: {
      authorization: `Bearer ${TOKEN}`,
      ...(options.body !== undefined && { 'content-type': 'application/json' }),
      ...(options.key !== undefined && { 'idempotency-key': options.key }),
      ...(options.accept !== undefined && { accept: options.accept }),
    },
    ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
    signal: AbortSignal.timeout(20_000),
  })
  return { status: answer.status, body: await answer.text() }
}

/** The job, or null if the server does not know the id. */
export const getJob = async (url: string, jobId: string): Promise<JobView | null> => {
  const { status, body } = await call(url, `/v1/jobs/${jobId}`)
  if (status === 404) return null
  if (status !== 200) throw new Error(`GET /v1/jobs/${jobId}: ${status} ${body}`)
  return JSON.parse(body) as JobView
}

/** Submits one job that must be accepted, and returns its id. */
export const submitJob = async (url: string, body: unknown): Promise<string> => {
  const answer = await call(url, '/v1/jobs', { method: 'POST', body })
  if (answer.status !== 201) throw new Error(`POST /v1/jobs: ${answer.status} ${answer.body}`)
  return (JSON.parse(answer.body) as { job_id: string }).job_id
}

/** The job once it has ended, within a minute. The server may have another address after a restart. */
export const waitForEnd = async (server: { readonly url: string }, jobId: string): Promise<JobView> => {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(20)) {
    const job = await getJob(server.url, jobId)
    if (job !== null && ['completed', 'failed', 'cancelled'].includes(job.status)) return job
  }
  throw new Error(`${jobId} does not end`)
}

/** The whole log of a job. */
export const getLog = async (url: string, jobId: string): Promise<readonly LogLineView[]> => {
  const { status, body } = await call(url, `/v1/jobs/${jobId}/logs`, { accept: 'application/x-ndjson' })
  if (status !== 200) throw new Error(`GET /v1/jobs/${jobId}/logs: ${status} ${body}`)
  return body
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as LogLineView)
}

/** Numbers of the attempts of a job. */
export const getAttempts = async (url: string, jobId: string): Promise<readonly number[]> => {
  const { status, body } = await call(url, `/v1/jobs/${jobId}/attempts`)
  if (status !== 200) throw new Error(`GET /v1/jobs/${jobId}/attempts: ${status} ${body}`)
  return (JSON.parse(body) as { attempts: { attempt: number }[] }).attempts.map(({ attempt }) => attempt)
}

/** How many jobs carry this label of a submission. */
export const countSubmission = async (url: string, label: string): Promise<number> => {
  let count = 0
  let cursor = ''
  do {
    const { status, body } = await call(url, `/v1/jobs?limit=500&label=submission:${label}${cursor}`)
    if (status !== 200) throw new Error(`GET /v1/jobs: ${status} ${body}`)
    const page = JSON.parse(body) as { jobs: unknown[]; next_cursor: string | null }
    count += page.jobs.length
    cursor = page.next_cursor === null ? '' : `&cursor=${encodeURIComponent(page.next_cursor)}`
  } while (cursor !== '')
  return count
}

/** How many jobs have not ended. */
export const countLive = async (url: string): Promise<number> => {
  const { status, body } = await call(url, '/v1/jobs?status=pending,queued,running,cancelling&limit=1&count=true')
  if (status !== 200) throw new Error(`GET /v1/jobs: ${status} ${body}`)
  const page = JSON.parse(body) as { total?: number; count?: number }
  return page.total ?? page.count ?? Number.NaN
}
