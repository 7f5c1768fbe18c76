import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { newJob, newJobs } from '../../../test/conformance/suite/scene.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/test-database.ts'
import type { NewJob } from '../../model/job.ts'
import { KINDS } from '../../model/kind.ts'
import { LEASE_MS } from '../../model/lease.ts'
import type { EndAttempt, Store, StoreSignal } from '../store.ts'
import { migrate } from './migrate.ts'
import { openPostgresStore } from './postgres-store.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

/** Waits, with a bound, until the condition holds. */
const eventually = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + 30_000
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('the condition did not come true within 30 s')
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

const submit = (store: Store, jobs: readonly ReturnType<typeof newJob>[]) =>
  store.submitJobs({ jobs, maxQueued: 1_000_000 })
const claim = (store: Store, limit: number, workerId = 'worker-1') =>
  store.claimJobs({ workerId, kinds: KINDS, limit, leaseMs: LEASE_MS })

describe('several processes on one database', () => {
  let first: Store
  let second: Store
  let heard: StoreSignal[]
  beforeEach(async () => {
    await database.clear()
    first = await openPostgresStore({ url: database.url, processName: 'first' })
    second = await openPostgresStore({ url: database.url, processName: 'second' })
    heard = []
    second.onSignal(signal => heard.push(signal))
  })
  afterEach(() => Promise.all([first.close(), second.close()]))

  const hears = (type: StoreSignal['type']) => eventually(() => heard.some(signal => signal.type === type))
  const events = () => heard.flatMap(signal => (signal.type === 'events' ? signal.events : []))

  test('a job submitted by one is signalled to the other, which claims it', async () => {
    const job = newJob()
    await submit(first, [job])
    await hears('queued')
    expect((await claim(second, 10)).map(claimed => claimed.id)).toEqual([job.id])
  })

  test('status changes by one are signalled to the other, in order', async () => {
    const job = newJob({ kind: 'http', runId: 'run-1' })
    await submit(first, [job])
    const [claimed] = await claim(first, 1)
    const lease = { jobId: job.id, attempt: 1, leaseToken: claimed!.leaseToken }
    const exit = { exitCode: 0, signal: null }
    await first.endAttempts([{ lease, end: { type: 'complete', exit, statistics: null, result: null }, log: [] }])
    await eventually(() => events().length >= 3)
    expect(events().map(event => event.status)).toEqual(['queued', 'running', 'completed'])
    expect(events()[2]).toMatchObject({ jobId: job.id, workspace: 'default', kind: 'http', runId: 'run-1' })
  })

  test('a process does not receive its own changes twice', async () => {
    const job = newJob()
    await submit(second, [job])
    await submit(first, [newJob()])
    await eventually(() => events().length >= 2)
    expect(events().filter(event => event.jobId === job.id)).toHaveLength(1)
  })

  test('more events than a notice holds are signalled as missed', async () => {
    await submit(first, newJobs(500))
    await hears('missed_events')
    await hears('queued')
    expect(events()).toEqual([])
  })

  test('cancels, waits and log parts are signalled to the other', async () => {
    const job = newJob()
    await submit(first, [job])
    const [claimed] = await claim(second, 1)
    const lease = { jobId: job.id, attempt: 1, leaseToken: claimed!.leaseToken }
    const part = { firstSeq: 1, lastSeq: 1, attempt: 1, firstAt: 1, lastAt: 1, bytes: 1, blobKey: null }
    await first.addLogParts({ lease, parts: [{ ...part, data: Uint8Array.of(1) }] })
    await hears('log')
    await first.cancelJob({ workspace: 'default', jobId: job.id, reason: 'cancelled_by_user', graceMs: 5 })
    await hears('cancel')
    expect(await second.listCancelling({ workerId: 'worker-1' })).toMatchObject([{ jobId: job.id, graceMs: 5 }])
    await submit(first, [newJob({ scheduledAt: Date.now() + 3_600_000 })])
    await hears('pending')
  })

  test('invariant 2: claims of two processes at once never share a job, and none is left', async () => {
    await submit(first, newJobs(600))
    const drain = async (store: Store, workerId: string) => {
      const ids: string[] = []
      for (let jobs = await claim(store, 7, workerId); jobs.length > 0; jobs = await claim(store, 7, workerId))
        ids.push(...jobs.map(job => job.id))
      return ids
    }
    const workers = [first, second, first, second].map((store, index) => drain(store, `worker-${index}`))
    const ids = (await Promise.all(workers)).flat()
    ids.push(...(await drain(first, 'last')))
    expect(ids).toHaveLength(600)
    expect(new Set(ids).size).toBe(600)
  })

  test('invariant 2: an end that waited while its job was claimed again does not apply', async () => {
    const job = newJob()
    await submit(first, [job])
    const [claimed] = await claim(first, 1)
    const other = new pg.Client(database.url)
    await other.connect()
    await other.query(`BEGIN; UPDATE millrace.live SET attempt = 2, claim_token = gen_random_uuid()`)
    const lease = { jobId: job.id, attempt: 1, leaseToken: claimed!.leaseToken }
    const exit = { exitCode: 0, signal: null }
    const end = { type: 'complete', exit, statistics: null, result: null } as const
    const ending = first.endAttempts([{ lease, end, log: [] }])
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
    await eventually(async () => (await other.query(waiting)).rows.length > 0)
    await other.query('COMMIT')
    await other.end()
    expect(await ending).toEqual([{ jobId: job.id, applied: false, status: 'running' }])
  })

  describe('locks rows of many jobs in the order of their ids', () => {
    const exit = { exitCode: 0, signal: null }
    const complete = { type: 'complete', exit, statistics: null, result: null } as const
    const release = { type: 'release', exit } as const
    type Leases = Parameters<Store['renewLeases']>[0]['leases']
    const endAll = (leases: Leases, ends: readonly EndAttempt['end'][]) =>
      first.endAttempts(leases.map((lease, index) => ({ lease, end: ends[index % ends.length]!, log: [] })))

    const sinks = [{ index: 0, onFailure: false }]
    type Of = (index: number) => Partial<NewJob>
    const plain: Of = () => ({})
    test.for<[string, Of, (leases: Leases) => Promise<unknown>]>([
      ['renewals', plain, leases => first.renewLeases({ leases, leaseMs: LEASE_MS })],
      ['ends', plain, leases => endAll(leases, [complete])],
      ['ends that put jobs back', plain, leases => endAll(leases, [release])],
      ['ends of both kinds in one transaction', () => ({ sinks }), leases => endAll(leases, [complete, release])],
      [
        'ends of jobs with and without keys in one transaction',
        index => ({ sinks, exclusiveKey: index === 0 ? 'key' : null }),
        leases => endAll(leases, [complete]),
      ],
      [
        'ends of jobs one of which is to be cancelled in one transaction',
        () => ({ sinks }),
        async leases => {
          await database.query(`UPDATE millrace.live SET status = 'cancelling' WHERE id = '${leases.at(-1)!.jobId}'`)
          await endAll(leases, [complete])
        },
      ],
      [
        'cancels',
        plain,
        () => first.cancelMatching({ workspace: 'default', filters: {}, reason: 'cancelled_by_user', limit: 9 }),
      ],
    ])('%s', async ([, of, change]) => {
      const ids = newJobs(5)
        .map(({ id }) => id)
        .sort()
      // Claimed last to first, so that the rows are in the table in that order.
      await submit(
        first,
        ids.map((id, index) => newJob({ ...of(index), id, priority: index })),
      )
      const leases: { jobId: string; attempt: number; leaseToken: string }[] = []
      // On a slow machine, a claim may find no jobs of a priority that it does not know.
      while (leases.length < ids.length)
        for (const { id, leaseToken } of await claim(first, 1)) leases.push({ jobId: id, attempt: 1, leaseToken })
      const holder = new pg.Client(database.url)
      await holder.connect()
      await holder.query(`BEGIN; SELECT FROM millrace.live WHERE id = '${ids[2]}' FOR UPDATE`)
      const changing = change(leases)
      const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
      await eventually(async () => (await holder.query(waiting)).rows.length > 0)
      const free = await database.query('SELECT id FROM millrace.live ORDER BY id FOR UPDATE SKIP LOCKED')
      await holder.query('COMMIT')
      await holder.end()
      await changing
      expect(free.map(row => row.id)).toEqual(ids.slice(3))
    })
  })

  test('one job runs per exclusive key, whichever process submits, claims and ends', async () => {
    const running = new Set<string>()
    let ended = 0
    const work = async (store: Store, workerId: string) => {
      while (ended < 60) {
        const jobs = await claim(store, 4, workerId)
        for (const job of jobs) {
          expect(running.has(job.exclusiveKey!)).toBe(false)
          running.add(job.exclusiveKey!)
        }
        for (const job of jobs) {
          running.delete(job.exclusiveKey!)
          const lease = { jobId: job.id, attempt: job.attempt, leaseToken: job.leaseToken }
          const exit = { exitCode: 0, signal: null }
          await store.endAttempts([{ lease, end: { type: 'complete', exit, statistics: null, result: null }, log: [] }])
          ended++
        }
      }
    }
    const submits = Array.from({ length: 60 }, (_, index) =>
      submit(index % 2 ? first : second, [newJob({ exclusiveKey: `key-${index % 3}` })]),
    )
    await Promise.all([...submits, work(first, 'a'), work(second, 'b')])
    expect(await first.countJobs({ workspace: 'default', filters: { status: ['completed'] } })).toBe(60)
  })

  test('two that open an empty database at once both find it ready', async () => {
    await database.clear()
    await Promise.all([migrate(database.url), migrate(database.url), migrate(database.url)])
    expect(await database.query('SELECT version FROM millrace.migration')).toEqual([
      { version: 1 },
      { version: 2 },
      { version: 3 },
      { version: 4 },
      { version: 5 },
      { version: 6 },
    ])
  })

  test('a user who may not create schemas can use an empty one', async () => {
    await database.clear()
    const guest = `guest_${process.pid}`
    await database.query(`CREATE ROLE ${guest} LOGIN PASSWORD 'guest'; CREATE SCHEMA millrace AUTHORIZATION ${guest}`)
    const url = Object.assign(new URL(database.url), { username: guest, password: 'guest' })
    try {
      await migrate(url.href)
    } finally {
      await database.clear()
      await database.query(`DROP ROLE ${guest}`)
    }
  })

  test('a database migrated by a newer program is refused with both versions', async () => {
    await database.query(`INSERT INTO millrace.migration (version, name) VALUES (99, '0099-future.sql')`)
    const opening = openPostgresStore({ url: database.url, processName: 'old' })
    await expect(opening).rejects.toThrow(/schema version 99.*up to 6.*newer Millrace/s)
  })
})

describe('a database that becomes unavailable', () => {
  let store: Store
  let heard: StoreSignal[]
  beforeEach(async () => {
    await database.clear()
    store = await openPostgresStore({ url: database.url, processName: 'test' })
    heard = []
    store.onSignal(signal => heard.push(signal))
  })
  afterEach(() => store.close())

  const CUT_OTHERS =
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()'

  test('serves calls and signals again after its connections were cut', async () => {
    await submit(store, [newJob()])
    await database.query(CUT_OTHERS)
    await eventually(() => heard.some(signal => signal.type === 'missed_events'))
    await eventually(() => heard.filter(signal => signal.type === 'queued').length >= 2)
    await eventually(() =>
      submit(store, [newJob()]).then(
        () => true,
        () => false,
      ),
    )
    const other = await openPostgresStore({ url: database.url, processName: 'other' })
    heard.length = 0
    await submit(other, [newJob()])
    await eventually(() => heard.some(signal => signal.type === 'events'))
    await other.close()
  })

  test('rejects a cut-off call as unavailable, and its transaction did not happen', async () => {
    // Locks the table, so that the submit is running when its connection is cut.
    const holder = new pg.Client(database.url)
    await holder.connect()
    await holder.query('BEGIN; LOCK TABLE millrace.live')
    const cut = expect(submit(store, [newJob()])).rejects.toMatchObject({ code: 'unavailable', retryAfter: 1 })
    const waiting = `SELECT 1 FROM pg_locks WHERE relation = 'millrace.live'::regclass AND NOT granted`
    await eventually(async () => (await holder.query(waiting)).rows.length > 0)
    await holder.query(CUT_OTHERS)
    await cut
    await holder.end()
    await eventually(() =>
      store.ping().then(
        () => true,
        () => false,
      ),
    )
    expect(await store.countJobs({ workspace: 'default', filters: {} })).toBe(0)
  })

  test('rejects a write as unavailable while the database is read-only, as a standby is', async () => {
    const name = new URL(database.url).pathname.slice(1)
    await database.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`)
    try {
      await database.query(CUT_OTHERS)
      const refusal = () => submit(store, [newJob()]).catch((error: Error) => error)
      await eventually(async () => String(await refusal()).includes('read-only'))
      expect(await refusal()).toMatchObject({ code: 'unavailable', retryAfter: 1 })
    } finally {
      await database.query(`BEGIN READ WRITE; ALTER DATABASE ${name} RESET default_transaction_read_only; COMMIT`)
    }
  })

  test('that cannot be reached is a clear error, not a crash', async () => {
    const nowhere = openPostgresStore({ url: 'postgres://nobody@127.0.0.1:1/none', processName: 'test' })
    await expect(nowhere).rejects.toMatchObject({ code: 'unavailable' })
    await expect(nowhere).rejects.toThrow(/cannot be reached/)
  })
})
