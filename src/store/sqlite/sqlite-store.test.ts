import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newJob } from '../../../test/conformance/suite/scene.ts'
import { systemClock } from '../../kernel/clock.ts'
import { isDiskFull } from '../../kernel/errors.ts'
import type { NewJob } from '../../model/job.ts'
import type { Store } from '../store.ts'
import { openForWriting } from './database.ts'
import { openSqliteStore } from './sqlite-store.ts'

let directory: string
let path: string
const opened: Store[] = []
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-store-'))
  path = join(directory, 'millrace.db')
})
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close()
  await rm(directory, { recursive: true })
})

const open = async (at = path): Promise<Store> => {
  const store = await openSqliteStore({ path: at, clock: systemClock })
  opened.push(store)
  return store
}

const submit = (store: Store, jobs: readonly NewJob[]) => store.submitJobs({ jobs, maxQueued: 1_000_000 })

/** Runs SQL on a database that is not open in a store. */
const edit = <T>(work: (database: DatabaseSync) => T): T => {
  const database = new DatabaseSync(path)
  try {
    return work(database)
  } finally {
    database.close()
  }
}

test('ends of attempts and the claim for their slots share a commit', async () => {
  const store = await open()
  const commits: (readonly string[])[] = []
  store.onSignal(signal => {
    if (signal.type === 'events') commits.push([...new Set(signal.events.map(event => event.status))])
  })
  await submit(
    store,
    Array.from({ length: 1000 }, () => newJob()),
  )
  const claim = (limit: number) => store.claimJobs({ workerId: 'w', kinds: ['command'], limit, leaseMs: 15_000 })
  const end = { type: 'complete', exit: { exitCode: 0, signal: null }, statistics: null, result: null } as const
  let running = await claim(50)
  for (let round = 0; round < 19; round++) {
    const leases = running.map(({ id, attempt, leaseToken }) => ({ jobId: id, attempt, leaseToken }))
    // As the engine does: an attempt that ends wakes both, in this order.
    const ending = Promise.resolve().then(() => store.endAttempts(leases.map(lease => ({ lease, end, log: [] }))))
    const claiming = Promise.resolve().then(() => claim(50))
    ;[running] = await Promise.all([claiming, ending])
  }
  expect(commits.slice(2)).toEqual(Array(19).fill(['completed', 'running']))
})

test('a database newer than the program is refused and not changed', async () => {
  await (await open()).close()
  edit(database => database.exec('PRAGMA user_version = 99'))
  await expect(open()).rejects.toThrow(/version 99, this program knows versions up to \d+/)
  expect(edit(database => database.prepare('PRAGMA user_version').get())).toEqual({ user_version: 99 })
})

test('a failed migration leaves the database as it was, with its earlier steps undone', async () => {
  await (await open()).close()
  const versions = () =>
    edit(database => ({
      version: database.prepare('PRAGMA user_version').get()!.user_version,
      columns: database.prepare(`SELECT name FROM pragma_table_info('attempt') WHERE name = 'statistics'`).all().length,
    }))
  // Version 3, except for a column that the fifth migration adds.
  edit(database => database.exec('ALTER TABLE attempt DROP COLUMN statistics; PRAGMA user_version = 3'))
  await expect(open()).rejects.toThrow('Migration 0005-run-outcomes.sql failed')
  expect(versions()).toEqual({ version: 3, columns: 0 })
})

test('a file that is not a database is refused with its path', async () => {
  mkdirSync(path)
  await expect(open()).rejects.toThrow(path)
})

test('commits wait for the disk: write-ahead log, synchronous full', () => {
  const db = openForWriting(path)
  expect(db.get('PRAGMA journal_mode')).toEqual(['wal'])
  expect(db.get('PRAGMA synchronous')).toEqual([2])
  db.close()
})

test('closing finishes earlier calls and refuses later ones', async () => {
  const store = await open()
  const jobs = Array.from({ length: 20 }, () => newJob())
  const submits = jobs.map(job => submit(store, [job]))
  const reads = jobs.map(() => store.listWorkspaces())
  await store.close()
  for (const outcome of await Promise.all(submits)) expect(outcome.type).toBe('submitted')
  expect(await Promise.all(reads)).toHaveLength(20)
  await expect(submit(store, [newJob()])).rejects.toThrow(/closed/)
  await expect(store.getSetting({ name: 'x' })).rejects.toThrow(/closed/)
  expect(edit(database => database.prepare('SELECT count(*) AS n FROM job').get())).toEqual({ n: 20 })
  expect(existsSync(`${path}-wal`)).toBe(false)
})

test('a read sees every write acknowledged before it', async () => {
  const store = await open()
  for (let round = 0; round < 50; round++) {
    const job = newJob()
    await submit(store, [job])
    expect(await store.getJob({ workspace: 'default', jobId: job.id })).not.toBeNull()
  }
})

test('a small slice of a large buffer is stored by itself', async () => {
  const store = await open()
  const large = new Uint8Array(1_000_000).fill(7)
  const job = newJob({ secrets: large.subarray(10, 13) })
  await submit(store, [job])
  const submission = await store.getSubmission({ workspace: 'default', jobId: job.id })
  expect([...submission!.secrets!]).toEqual([7, 7, 7])
  expect(submission!.secrets!.buffer.byteLength).toBeLessThan(1000)
})

test('a search that finds nothing looks at a limited number of jobs per page', async () => {
  const store = await open()
  const labels = [{ a: '1' }, { b: '1' }]
  for (let batch = 0; batch < 6; batch++)
    await submit(
      store,
      Array.from({ length: 2000 }, (_, index) => newJob({ labels: labels[index % 2]! })),
    )
  const filters = {
    labels: [
      { key: 'a', value: '1' },
      { key: 'b', value: '1' },
    ],
  }
  let pages = 0
  let cursor: string | null = null
  do {
    const page = await store.listJobs({ workspace: 'default', filters, limit: 50, cursor })
    expect(page.jobs).toEqual([])
    cursor = page.nextCursor
    pages++
  } while (cursor !== null)
  expect(pages).toBeGreaterThan(1)
  expect(pages).toBeLessThan(6000 / 51)
})

const canMount = process.getuid?.() === 0 && process.platform === 'linux'

test.skipIf(!canMount)(
  'a full disk refuses writes with ENOSPC, loses nothing, and recovers with free space (needs root to mount a small tmpfs)',
  async () => {
    const small = join(directory, 'small')
    mkdirSync(small)
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', small]).status).toBe(0)
    try {
      const store = await open(join(small, 'millrace.db'))
      const kept: string[] = []
      const fault = await fill(store, kept)
      expect(isDiskFull(fault), String(fault)).toBe(true)
      expect(spawnSync('mount', ['-o', 'remount,size=64m', small]).status).toBe(0)
      await submitWhenThereIsRoom(store)
      await store.ping()
      expect(await store.countJobs({ workspace: 'default', filters: {} })).toBe(kept.length + 1)
      await store.close()
    } finally {
      for (const store of opened.splice(0)) await store.close()
      spawnSync('umount', [small])
    }
  },
)

/** Submits large jobs until that fails, and returns the error. */
const fill = async (store: Store, kept: string[]): Promise<unknown> => {
  for (let count = 0; count < 1000; count++) {
    const job = newJob({ spec: JSON.stringify({ command: 'x'.repeat(20_000) }) })
    try {
      await submit(store, [job])
      kept.push(job.id)
    } catch (error) {
      return error
    }
  }
  throw new Error('the disk did not become full')
}

/** New jobs are accepted once there is again space for ending jobs, which the store checks from time to time. */
const submitWhenThereIsRoom = async (store: Store): Promise<void> => {
  const deadline = performance.now() + 20_000
  for (;;)
    try {
      await submit(store, [newJob()])
      return
    } catch (error) {
      if (!isDiskFull(error) || performance.now() > deadline) throw error
    }
}
