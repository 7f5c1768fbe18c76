import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/kernel/clock.ts'
import { ENDED_STATUSES, JOB_STATUSES, type JobStatus, LIVE_STATUSES } from '../../src/model/job-status.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { createTestDatabase } from '../test-database.ts'

const statuses = Object.keys(JOB_STATUSES) as JobStatus[]

test('SQLite accepts in each table exactly the statuses of the model', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-states-'))
  const path = join(directory, 'millrace.db')
  await (await openSqliteStore({ path, clock: systemClock })).close()
  const database = new DatabaseSync(path)
  const takes = (sql: string, ...values: (string | null)[]): boolean => {
    database.exec('BEGIN')
    try {
      return database.prepare(sql).run(...values).changes === 1
    } catch (error) {
      expect(String(error)).toMatch(/CHECK constraint failed/)
      return false
    } finally {
      database.exec('ROLLBACK')
    }
  }
  const live = `INSERT INTO live (seq, workspace, kind, priority, updated_at, status, lease_token) VALUES (1, 'w', 'command', 0, 0, ?, ?)`
  const ended = `INSERT INTO ended (seq, workspace, log, finished_at, attempt, user_failures, system_failures, status)
    VALUES (1, 'w', 'none', 0, 0, 0, 0, ?)`
  for (const status of [...statuses, 'lost', '', 'Queued']) {
    const known = JOB_STATUSES[status as JobStatus]
    const token = known?.holdsSlot ? 'token' : null
    expect(takes(live, status, token), `live ${status}`).toBe(known?.table === 'live')
    expect(takes(live, status, token === null ? 'token' : null), `live ${status}, lease wrong`).toBe(false)
    expect(takes(ended, status), `ended ${status}`).toBe(known?.table === 'ended')
  }
  database.close()
  await rm(directory, { recursive: true })
})

test('PostgreSQL accepts in each table exactly the statuses of the model', async () => {
  const database = await createTestDatabase()
  try {
    await (await openPostgresStore({ url: database.url, processName: 'states' })).close()
    const checked = async (table: string) => {
      const rows = await database.query(
        `SELECT pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE contype = 'c' AND conrelid = 'millrace.${table}'::regclass`,
      )
      const lists = rows.map(row => String(row.definition)).filter(text => /^CHECK \(\(status = ANY/.test(text))
      expect(lists, table).toHaveLength(1)
      return [...lists[0]!.matchAll(/'(\w+)'::text/g)].map(match => match[1])
    }
    expect(await checked('live')).toEqual([...LIVE_STATUSES])
    expect(await checked('ended')).toEqual([...ENDED_STATUSES])
  } finally {
    await database.drop()
  }
})
