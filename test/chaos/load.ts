import { setTimeout as sleep } from 'node:timers/promises'
import { call } from './api.ts'
import { JOB_SORTS, type JobBody, type JobSort } from './job-sorts.ts'
import type { Acknowledged, Ledger, Submission } from './ledger.ts'
import type { Random } from './random.ts'

type Load = { stop(): Promise<void> }
type Environment = {
  readonly urls: readonly string[]
  readonly directory: string
  readonly ledger: Ledger
  readonly random: Random
}

/** Submits jobs of all sorts, one by one and in batches, and cancels some, until it is stopped. Records every promise. */
export const startLoad = (environment: Environment): Load => {
  let stopped = false
  let number = 0
  const cancels: Promise<void>[] = []
  const isStopped = () => stopped
  const loop = async (random: Random): Promise<void> => {
    while (!stopped) {
      const label = `s${++number}`
      const fresh = await submit({ ...environment, random }, label, isStopped)
      for (const job of fresh.filter(({ sort }) => sort.isCancelled)) {
        cancels.push(cancelLater(environment, job, random.between(0, 900)))
      }
      await sleep(random.between(20, 240))
    }
  }
  const loops = [loop(environment.random.fork()), loop(environment.random.fork())]
  return {
    async stop() {
      stopped = true
      await Promise.all(loops)
      await Promise.all(cancels)
    },
  }
}

type Order = { readonly sort: JobSort; readonly body: JobBody }

const submit = async (
  environment: Environment,
  label: string,
  isStopped: () => boolean,
): Promise<readonly Acknowledged[]> => {
  const { random, ledger } = environment
  const isBatch = random.chance(0.3)
  const orders = makeOrders(environment, label, isBatch ? random.between(2, 12) : 1)
  const submission: Submission = { label, size: orders.length, outcome: 'unknown' }
  ledger.submissions.push(submission)
  const key = random.chance(0.5) ? `chaos-${label}` : undefined
  // Without a key a lost answer stays unknown; with one the client repeats the request until it is answered.
  do {
    const ids = await send(environment, orders, { isBatch, ...(key !== undefined && { key }) })
    if (ids !== null) {
      submission.outcome = 'acknowledged'
      return orders.map((order, index) => acknowledge(ledger, order, ids[index]!))
    }
    await sleep(50)
  } while (key !== undefined && !isStopped())
  return []
}

const makeOrders = ({ random, directory }: Environment, label: string, size: number): readonly Order[] =>
  Array.from({ length: size }, () => {
    const sort = random.pick(JOB_SORTS)
    const body = { ...sort.body(directory, random), labels: { submission: label }, priority: random.between(-1, 1) }
    return { sort, body }
  })

/** Ids of the new jobs, or null if no answer came (or one to try later). */
const send = async (
  { urls, random }: Environment,
  orders: readonly Order[],
  { isBatch, key }: { isBatch: boolean; key?: string },
): Promise<readonly string[] | null> => {
  const bodies = orders.map(({ body }) => body)
  const path = isBatch ? '/v1/jobs/batch' : '/v1/jobs'
  try {
    const body = isBatch ? { jobs: bodies } : bodies[0]
    const answer = await call(random.pick(urls), path, { method: 'POST', body, ...(key !== undefined && { key }) })
    if (answer.status === 409 || answer.status === 503) return null
    if (answer.status !== 201) throw new UnexpectedAnswer(`POST ${path}: ${answer.status} ${answer.body}`)
    const submitted = JSON.parse(answer.body) as { job_id: string } & { jobs: { job_id: string }[] }
    return isBatch ? submitted.jobs.map(job => job.job_id) : [submitted.job_id]
  } catch (error) {
    if (error instanceof UnexpectedAnswer) throw error
    return null
  }
}

class UnexpectedAnswer extends Error {}

const acknowledge = (ledger: Ledger, { sort, body }: Order, jobId: string): Acknowledged => {
  const job: Acknowledged = { jobId, sort, lines: Number(body.environment.LINES), cancel: 'none' }
  ledger.jobs.set(jobId, job)
  return job
}

const cancelLater = async ({ urls }: Environment, job: Acknowledged, delayMs: number): Promise<void> => {
  await sleep(delayMs)
  job.cancel = 'asked'
  try {
    const answer = await call(urls[delayMs % urls.length]!, `/v1/jobs/${job.jobId}/cancel`, { method: 'POST' })
    if (answer.status === 200) job.cancel = 'promised'
  } catch {
    // The answer is lost with the server: the job may or may not have been cancelled.
  }
}
