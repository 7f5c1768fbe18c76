import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../src/kernel/clock.ts'
import type { JobStatus } from '../../src/model/job-status.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../../src/store/store.ts'
import { checkRun } from './suite/run-invariants.ts'

let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-crash-'))
  path = join(directory, 'millrace.db')
})
afterEach(() => rm(directory, { recursive: true }))

test('invariant 1: everything acknowledged before kill -9 survives it; runs agree with their items, deliveries with ends', async () => {
  const acknowledged = new Map<string, string>()
  for (let life = 0; life < 3; life++) {
    await writeUntilKilled(acknowledged, acknowledged.size + 300)
    const store = await openSqliteStore({ path, clock: systemClock })
    await checkAll(store, acknowledged)
    await store.close()
    expect(integrity()).toEqual(['ok'])
  }
})

/** Runs the writer until that many jobs were acknowledged, then kills it while it works. */
const writeUntilKilled = async (acknowledged: Map<string, string>, count: number): Promise<void> => {
  const script = fileURLToPath(new URL('./crash-writer.ts', import.meta.url))
  const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    for (const line of lines) {
      const [id, what] = line.split(' ')
      acknowledged.set(id!, what!)
    }
    if (acknowledged.size >= count) child.kill('SIGKILL')
  })
  const [code, signal] = await exited
  expect([code, signal]).toEqual([null, 'SIGKILL'])
}

/** The statuses that may follow each acknowledgement before the next one arrived. */
const POSSIBLE: Readonly<Record<string, readonly JobStatus[]>> = {
  submitted: ['queued', 'running', 'completed'],
  claimed: ['running', 'completed'],
  completed: ['completed'],
}

const checkAll = async (store: Store, acknowledged: ReadonlyMap<string, string>): Promise<void> => {
  for (const [id, what] of acknowledged)
    if (what === 'triggered') await checkTriggered(store, id)
    else await checkJob(store, id, what)
}

const checkTriggered = async (store: Store, runId: string): Promise<void> => {
  const run = await store.getRun({ workspace: 'default', runId })
  const page = { workspace: 'default', filters: { runId }, limit: 100, cursor: null }
  checkRun(run!, (await store.listJobs(page)).jobs)
  expect((await store.listDeliveries(page)).deliveries).toHaveLength(run!.counts.completed)
}

const checkJob = async (store: Store, jobId: string, what: string): Promise<void> => {
  const job = await store.getJob({ workspace: 'default', jobId })
  expect(POSSIBLE[what], `${jobId} ${what}`).toContain(job?.status)
}

const integrity = (): unknown[] => {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return database
      .prepare('PRAGMA integrity_check')
      .all()
      .map(row => Object.values(row)[0])
  } finally {
    database.close()
  }
}

test('a second server on the same database is refused until the first has stopped or was killed', async () => {
  const store = await openSqliteStore({ path, clock: systemClock })
  await expect(openSqliteStore({ path, clock: systemClock })).rejects.toThrow(/in use by another Millrace server/)
  await store.setSetting({ name: 'still', value: 'works' })
  await store.close()
  await writeUntilKilled(new Map(), 1)
  const next = await openSqliteStore({ path, clock: systemClock })
  expect(await next.getSetting({ name: 'still' })).toBe('works')
  await next.close()
})
