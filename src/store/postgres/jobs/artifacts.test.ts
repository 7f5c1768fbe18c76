import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { newJob } from '../../../../test/conformance/suite/scene.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/test-database.ts'
import { newId } from '../../../kernel/ids.ts'
import { LEASE_MS } from '../../../model/lease.ts'
import type { Store } from '../../store.ts'
import { openPostgresStore } from '../postgres-store.ts'

let database: TestDatabase
let store: Store
let clients: pg.Client[]
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())
beforeEach(async () => {
  await database.clear()
  store = await openPostgresStore({ url: database.url, processName: 'test' })
  clients = []
})
afterEach(async () => {
  await Promise.all(clients.map(client => client.end()))
  await store.close()
})

/** A connection on which a transaction has begun, and its id. */
const begin = async (statement: string): Promise<{ pid: number; commit: () => Promise<unknown> }> => {
  const client = new pg.Client(database.url)
  clients.push(client)
  await client.connect()
  const pid = (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid
  await client.query(`BEGIN; ${statement}`)
  return { pid, commit: () => client.query('COMMIT') }
}

const countWaiting = async (condition: string): Promise<unknown> => {
  const [row] = await database.query(
    `SELECT count(*)::integer AS count FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock' AND ${condition}`,
  )
  return row!.count
}
const untilWaiting = (count: number, condition = 'true') =>
  expect.poll(() => countWaiting(condition), { timeout: 20_000 }).toBe(count)

const claim = async () => {
  const [job] = await store.claimJobs({ workerId: 'w', kinds: ['command'], limit: 1, leaseMs: LEASE_MS })
  return job!
}
const exit = { exitCode: 0, signal: null }
type Claimed = Awaited<ReturnType<typeof claim>>
const end = ({ id, attempt, leaseToken }: Claimed, type: 'complete' | 'release') => {
  const lease = { jobId: id, attempt, leaseToken }
  return store.endAttempts([{ lease, end: { type, exit, statistics: null, result: null }, log: [] }])
}
const add = (jobId: string, attempt: number | null, sha256: string) =>
  store.addArtifact({
    workspace: 'default',
    blobKey: newId(),
    artifact: { id: newId(), jobId, attempt, sha256, name: 'a', size: 1, contentType: 'text/plain', createdAt: 1 },
  })

test('attempts that replace each other’s contents do not deadlock, even if these are deleted and stored again', async () => {
  const jobs: Claimed[] = []
  for (const content of ['second', 'first']) {
    await store.submitJobs({ jobs: [newJob()], maxQueued: 10 })
    const job = await claim()
    await add(job.id, 1, content)
    await end(job, 'release')
    jobs.push(await claim())
  }
  const renewing = await begin(
    `WITH old AS (DELETE FROM millrace.blob WHERE sha256 = 'first' RETURNING *) INSERT INTO millrace.blob SELECT * FROM old`,
  )
  const holding = await begin(`SELECT FROM millrace.blob WHERE sha256 = 'second' FOR UPDATE`)
  const one = add(jobs[0]!.id, 2, 'first')
  await untilWaiting(1)
  await renewing.commit()
  await untilWaiting(1, `${holding.pid} = ANY (pg_blocking_pids(pid))`)
  const other = add(jobs[1]!.id, 2, 'second')
  await untilWaiting(2)
  await holding.commit()
  expect([(await one).type, (await other).type]).toEqual(['added', 'added'])
  // Its connections report what they have counted when they end.
  await store.close()
  expect(
    await database.query('SELECT deadlocks::integer FROM pg_stat_database WHERE datname = current_database()'),
  ).toEqual([{ deadlocks: 0 }])
})

test('a job is purged with an artifact that is being added to it', async () => {
  await store.submitJobs({ jobs: [newJob()], maxQueued: 10 })
  const job = await claim()
  await end(job, 'complete')
  const adding = await begin(
    `INSERT INTO millrace.blob VALUES ('content', 'key', 1, 1);
     INSERT INTO millrace.artifact (id, job_id, name, sha256, size, content_type, created_at)
       VALUES ('id', '${job.id}', 'a', 'content', 1, 'text/plain', 1)`,
  )
  const purging = store.purgeJob({ workspace: 'default', jobId: job.id })
  await untilWaiting(1)
  await adding.commit()
  expect(await purging).toBe('purged')
  expect((await store.listDoomedBlobs({ limit: 10 })).keys).toEqual(['key'])
})
