import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Clock } from '../../src/kernel/clock.ts'
import type { Outcome, StopCause } from '../../src/model/outcome.ts'
import type { Store } from '../../src/store/store.ts'
import { acceptAnotherKey, removeDataDirs, type Script, startEngine } from './harness.ts'

afterAll(removeDataDirs)

const done: Outcome = { type: 'completed', exit: { exitCode: 0, signal: null } }

const untilStopped: Script = (_, { stop }) =>
  new Promise(resolve => {
    if (stop.cause) resolve({ type: 'stopped' })
    stop.onChange(() => resolve({ type: 'stopped' }))
  })

test('a shutdown waits for jobs that end in time', async () => {
  const work = Promise.withResolvers<Outcome>()
  const script: Script = () => work.promise
  const first = await startEngine({ script })
  const [id] = await first.submit({})
  await first.until(id!, job => job.status === 'running')
  setTimeout(() => work.resolve(done), 150)
  await first.close()
  const second = await startEngine({ script, dataDir: first.dataDir })
  expect(await second.get(id!)).toMatchObject({ status: 'completed', attempt: 1 })
  await second.close()
})

test('a shutdown puts unfinished jobs back without using up an attempt', async () => {
  const first = await startEngine({ script: untilStopped, settings: { 'shutdown-grace': '50ms' } })
  const [id] = await first.submit({ retry: { maximum_attempts: 1 } })
  await first.until(id!, job => job.status === 'running')
  await first.close()
  const second = await startEngine({ script: async () => done, dataDir: first.dataDir })
  expect(await second.ended(id!)).toMatchObject({ status: 'completed', userFailures: 0, systemFailures: 0 })
  await second.close()
})

test('invariant 5: after a restart the jobs of the former process are rescued at once', async () => {
  let calls = 0
  const first = await startEngine({ script: untilStopped })
  const [id, final, cancelled] = await first.submit({}, { restartable: false }, {})
  for (const job of [id, final, cancelled]) await first.until(job!, ({ status }) => status === 'running')
  const dead = first.engine.workerId
  // The store closes under the engine: to the database the process is gone.
  await first.store.close()
  const second = await startEngine({
    dataDir: first.dataDir,
    formerWorkers: [dead],
    script: async () => {
      calls += 1
      return done
    },
  })
  expect(await second.get(final!)).toMatchObject({ status: 'failed', statusReason: 'worker_lost' })
  expect(await second.ended(id!)).toMatchObject({ status: 'completed', attempt: 2, systemFailures: 1 })
  expect((await second.ended(cancelled!)).status).toBe('completed')
  expect(calls).toBe(2)
  await second.close()
})

test('invariant 2: an attempt that has lost its lease is told so, and its end is refused', async () => {
  let cause: StopCause | null = null
  const script: Script = async (job, context) => {
    if (job.attempt > 1) return done
    const outcome = await untilStopped(job, context)
    cause = context.stop.cause
    return outcome
  }
  const { submit, until, ended, store, close } = await startEngine({ script })
  const [id] = await submit({})
  const running = await until(id!, job => job.status === 'running')
  const [lost] = await store.listLostAttempts({ leaseMs: 15_000, limit: 10, workerIds: [running.workerId!] })
  const end = {
    type: 'retry',
    reason: 'worker_lost',
    failure: 'system',
    message: 'gone',
    exit: { exitCode: null, signal: null },
    delayMs: 0,
  } as const
  expect(await store.endAttempts([{ lease: lost!.lease, end, log: [] }])).toMatchObject([{ applied: true }])
  expect(await ended(id!)).toMatchObject({ status: 'completed', attempt: 2 })
  await expect.poll(() => cause, { timeout: 15_000 }).toBe('lease_lost')
  await close()
})

test('a store that fails for a moment loses no finished work', async () => {
  let faults = 3
  let runs = 0
  const wrapStore = (store: Store): Store => ({
    ...store,
    endAttempts: async ends => {
      if (faults-- > 0) throw new Error('the database is away')
      return store.endAttempts(ends)
    },
  })
  const script: Script = async () => {
    runs += 1
    return done
  }
  const { submit, ended, close } = await startEngine({ script, wrapStore })
  const [id] = await submit({})
  expect((await ended(id!)).status).toBe('completed')
  expect(runs).toBe(1)
  await close()
})

test('a job whose secrets cannot be decrypted with this key fails with a reason', async () => {
  const first = await startEngine({ script: async () => done, secretKey: 'one', settings: { 'max-workers': '1' } })
  const [id] = await first.submit({
    environment: { A_TOKEN: 'x' },
    restartable: false,
    scheduled_at: new Date(Date.now() + 300).toISOString(),
  })
  await first.close()
  acceptAnotherKey(first.dataDir)
  const second = await startEngine({ script: async () => done, secretKey: 'two', dataDir: first.dataDir })
  expect(await second.ended(id!)).toMatchObject({
    status: 'failed',
    statusReason: 'executor_crashed',
    errorMessage: expect.stringContaining('MILLRACE_SECRET_KEY'),
  })
  await second.close()
})

test('an attempt is not started if its lease may have expired when the claim is answered', async () => {
  let ahead = 0
  const clock: Clock = { now: () => Date.now() + ahead, monotonic: () => performance.now() + ahead }
  const wrapStore = (store: Store): Store => ({
    ...store,
    claimJobs: async input => {
      const claimed = await store.claimJobs(input)
      // As when the process is frozen, and another server has taken the job when it wakes.
      if (claimed.length > 0 && ahead === 0) ahead = 20_000
      return claimed
    },
  })
  const begun: number[] = []
  const script: Script = async ({ attempt }) => {
    begun.push(attempt)
    return done
  }
  const { submit, ended, close } = await startEngine({ script, wrapStore, clock })
  const [id] = await submit({})
  expect(await ended(id!)).toMatchObject({ status: 'completed', attempt: 2, systemFailures: 1 })
  expect(begun).toEqual([2])
  await close()
}, 20_000)

test('a job whose log could not be written is retried, whatever the fault of the disk', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-spool-'))
  // A file instead of the log folder: no log file can be created, as with a limit of open files.
  writeFileSync(join(dataDir, 'spool'), '')
  const script: Script = async ({ attempt }, { log }) => {
    if (attempt === 2) rmSync(join(dataDir, 'spool'))
    void Promise.resolve(log.write('stdout', Buffer.from(`line of ${attempt}\n`))).catch(() => {})
    return done
  }
  const { store, submit, ended, close } = await startEngine({ script, dataDir })
  const [id] = await submit({})
  expect(await ended(id!)).toMatchObject({ status: 'completed', attempt: 2, systemFailures: 1 })
  const index = await store.listLogParts({ workspace: 'default', jobId: id!, fromSeq: 1, limit: 10 })
  expect(index?.parts).toMatchObject([{ attempt: 2, firstSeq: 1, lastSeq: 1 }])
  await close()
  rmSync(dataDir, { recursive: true, force: true })
}, 20_000)
