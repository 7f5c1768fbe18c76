import { afterAll, expect, test } from 'vitest'
import type { ClaimedJob } from '../../src/model/job.ts'
import type { Outcome } from '../../src/model/outcome.ts'
import { removeDataDirs, type Script, startEngine } from './harness.ts'

afterAll(removeDataDirs)

const done: Outcome = { type: 'completed', exit: { exitCode: 0, signal: null } }
const broken: Outcome = {
  type: 'failed',
  failure: 'user',
  reason: 'exit_code',
  message: 'exit code 3',
  exit: { exitCode: 3, signal: null },
}

/** Runs until it is told to stop. */
const untilStopped: Script = (_, { stop }) =>
  new Promise(resolve => {
    if (stop.cause) resolve({ type: 'stopped' })
    stop.onChange(() => resolve({ type: 'stopped' }))
  })

test('a submitted job is claimed on a signal, not by polling, and completes', async () => {
  const { submit, ended, close } = await startEngine({ script: async () => done })
  const began = performance.now()
  for (let round = 0; round < 5; round++) {
    const jobs = await submit({}, {}, {})
    for (const id of jobs)
      expect(await ended(id)).toMatchObject({ status: 'completed', exitCode: 0, attempt: 1, statusReason: null })
  }
  expect(performance.now() - began).toBeLessThan(15_000) // A poll every 5 s would take 20 at least.
  await close()
})

test('a user failure follows the retry policy, and every attempt is recorded', async () => {
  const attempts: number[] = []
  const script: Script = async job => {
    attempts.push(job.attempt)
    return job.attempt < 3 ? broken : done
  }
  const { submit, ended, store, close } = await startEngine({ script })
  const [id] = await submit({ retry: { maximum_attempts: 5, initial_interval: 20 } })
  expect(await ended(id!)).toMatchObject({ status: 'completed', attempt: 3, userFailures: 2, systemFailures: 0 })
  expect(attempts).toEqual([1, 2, 3])
  const listed = await store.listAttempts({ workspace: 'default', jobId: id! })
  expect(listed?.map(attempt => [attempt.attempt, attempt.outcome, attempt.exitCode])).toEqual([
    [1, 'failed', 3],
    [2, 'failed', 3],
    [3, 'completed', 0],
  ])
  await close()
})

test('a crashed executor is a system failure with three attempts in total', async () => {
  const script: Script = async () => {
    throw new Error('boom')
  }
  const { submit, ended, close } = await startEngine({ script })
  const [id] = await submit({ retry: { maximum_attempts: 2 } })
  const [final] = await submit({ restartable: false })
  expect(await ended(final!)).toMatchObject({
    status: 'failed',
    statusReason: 'executor_crashed',
    errorMessage: 'boom',
    attempt: 1,
  })
  expect(await ended(id!)).toMatchObject({ status: 'failed', attempt: 3, userFailures: 0, systemFailures: 3 })
  await close()
})

test('a job cancelled while it runs stops; one cancelled while queued or pending never starts', async () => {
  const started: string[] = []
  const script: Script = (job, context) => {
    started.push(job.id)
    return untilStopped(job, context)
  }
  const { submit, until, ended, store, close } = await startEngine({ script, settings: { 'max-workers': '1' } })
  const cancel = (jobId: string) =>
    store.cancelJob({ workspace: 'default', jobId, reason: 'cancelled_by_user', graceMs: null })
  const [running, queued] = await submit({}, {})
  const [pending] = await submit({ scheduled_at: new Date(Date.now() + 3_600_000).toISOString() })
  await until(running!, job => job.status === 'running')
  expect((await cancel(queued!)).type).toBe('cancelled')
  expect((await cancel(pending!)).type).toBe('cancelled')
  expect((await cancel(running!)).type).toBe('cancelling')
  expect(await ended(running!)).toMatchObject({ status: 'cancelled', statusReason: 'cancelled_by_user' })
  expect((await cancel(running!)).type).toBe('ended')
  expect(started).toEqual([running])
  await close()
})

test('an attempt that runs longer than its timeout is told to stop and fails with that reason', async () => {
  const { submit, ended, close } = await startEngine({ script: untilStopped })
  const [id] = await submit({ timeout_seconds: 0.05, grace_seconds: 1 })
  expect(await ended(id!)).toMatchObject({ status: 'failed', statusReason: 'timeout' })
  await close()
})

test('higher priorities are claimed first, equal ones in order of submission', async () => {
  const order: (string | null)[] = []
  let open: () => void = () => {}
  const gate = new Promise<void>(resolve => {
    open = resolve
  })
  const script: Script = async job => {
    if (job.name === 'first') await gate
    order.push(job.name)
    return done
  }
  const { submit, until, ended, close } = await startEngine({ script, settings: { 'max-workers': '1' } })
  const [first] = await submit({ name: 'first' })
  await until(first!, job => job.status === 'running')
  const rest = await submit({ name: 'low', priority: -5 }, { name: 'a' }, { name: 'high', priority: 50 }, { name: 'b' })
  open()
  for (const id of rest) await ended(id)
  expect(order).toEqual(['first', 'high', 'a', 'b', 'low'])
  await close()
})

test('a job scheduled for later is pending until it is due', async () => {
  const { submit, get, ended, close } = await startEngine({ script: async () => done })
  const due = Date.now() + 400
  const [id] = await submit({ scheduled_at: new Date(due).toISOString() })
  expect(await get(id!)).toMatchObject({ status: 'pending', statusReason: 'scheduled' })
  const job = await ended(id!)
  expect(job.startedAt).toBeGreaterThanOrEqual(due)
  expect(job.status).toBe('completed')
  await close()
})

test('of the jobs with one exclusive key only one runs at a time, and the others hold no slot', async () => {
  let running = 0
  let most = 0
  const script: Script = async job => {
    if (job.exclusiveKey === null) return done
    most = Math.max(most, ++running)
    await new Promise(resolve => setTimeout(resolve, 5))
    running -= 1
    return job.attempt === 1 && job.name === 'again' ? broken : done
  }
  const exclusiveKey = (body: Readonly<Record<string, unknown>>) => (body.queue === 'exclusive' ? 'table' : null)
  const { submit, ended, close } = await startEngine({
    script,
    definition: { exclusiveKey },
    settings: { 'max-workers': '2' },
  })
  const bodies = Array.from({ length: 12 }, (_, index) => ({
    queue: 'exclusive',
    ...(index % 3 === 0 && { name: 'again', retry: { maximum_attempts: 2 } }),
  }))
  const ids = await submit(...bodies, {}, {})
  for (const id of ids) expect((await ended(id)).status).toBe('completed')
  expect(most).toBe(1)
  await close()
})

test('10,000 jobs submitted in one batch all run, each once', async () => {
  const runs = new Map<string, number>()
  const script: Script = async (job: ClaimedJob) => {
    runs.set(job.id, (runs.get(job.id) ?? 0) + 1)
    return done
  }
  const { submit, ended, close } = await startEngine({ script, settings: { 'max-workers': '200' } })
  const ids = await submit(...Array.from({ length: 10_000 }, () => ({})))
  await ended(ids.at(-1)!)
  for (const id of ids) await ended(id)
  expect(runs.size).toBe(10_000)
  expect(Math.max(...runs.values())).toBe(1)
  await close()
})

test('secrets reach the executor and nothing else', async () => {
  let seen: Readonly<Record<string, string>> = {}
  const script: Script = async (_, context) => {
    seen = context.secrets
    return done
  }
  const { submit, ended, engine, close } = await startEngine({ script })
  const [id] = await submit({ environment: { API_TOKEN: 'hunter2hunter2', PLAIN: 'x' } })
  const job = await ended(id!)
  expect(seen).toEqual({ 'environment.API_TOKEN': 'hunter2hunter2' })
  expect(JSON.stringify(job)).not.toContain('hunter2')
  seen = {}
  const again = await engine.rerun({
    submitter: { workspace: 'default', scopes: ['jobs:run:command'], parentJobId: null },
    jobId: id!,
  })
  expect(await ended(again.id)).toMatchObject({ status: 'completed', rerunOf: id })
  expect(seen).toEqual({ 'environment.API_TOKEN': 'hunter2hunter2' })
  await close()
})

test('a full disk in the executor fails the job with that reason, and the next job runs', async () => {
  const script: Script = async job => {
    if (job.name === 'full') throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
    return done
  }
  const { submit, ended, close } = await startEngine({ script })
  const [full, next] = await submit({ name: 'full' }, {})
  expect(await ended(full!)).toMatchObject({ status: 'failed', statusReason: 'disk_full' })
  expect((await ended(next!)).status).toBe('completed')
  await close()
})

test('a wait for the end of a job is over at once if the caller has already gone', async () => {
  const { submit, engine, get, close } = await startEngine({ script: async () => done })
  const scheduled_at = new Date(Date.now() + 3_600_000).toISOString()
  const [jobId] = await submit({ scheduled_at })
  const wait = { workspace: 'default', jobId: jobId!, timeoutMs: 3_600_000 }
  await engine.events.waitForEnd({ ...wait, signal: AbortSignal.abort() })
  expect(await get(jobId!)).toMatchObject({ status: 'pending' })
  await close()
})
