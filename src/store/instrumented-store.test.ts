import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../kernel/clock.ts'
import { instrument } from './instrumented-store.ts'
import { openSqliteStore } from './sqlite/sqlite-store.ts'
import type { Store, StoreSignal } from './store.ts'

let directory: string
let store: Store
let observed: [operation: string, failed: boolean][]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-instrument-'))
  observed = []
  store = instrument(
    await openSqliteStore({ path: join(directory, 'millrace.db'), clock: systemClock }),
    (operation, milliseconds, failed) => {
      expect(milliseconds).toBeGreaterThanOrEqual(0)
      observed.push([operation, failed])
    },
  )
})
afterEach(async () => {
  await store.close()
  await rm(directory, { recursive: true })
})

test('every operation is observed by name, and its answer is unchanged', async () => {
  await store.setSetting({ name: 'a', value: 'b' })
  expect(await store.getSetting({ name: 'a' })).toBe('b')
  expect(observed).toEqual([
    ['setSetting', false],
    ['getSetting', false],
  ])
})

test('a fault of the store is a failure, a refusal is not', async () => {
  const search = { workspace: 'default', filters: {}, limit: 1 }
  await expect(store.listJobs({ ...search, cursor: 'wrong' })).rejects.toMatchObject({ code: 'invalid_cursor' })
  await expect(store.listJobs({ ...search, limit: 'many' as never, cursor: null })).rejects.toThrow()
  expect(observed).toEqual([
    ['listJobs', false],
    ['listJobs', true],
  ])
})

test('signals pass through and are not operations', async () => {
  const signals: StoreSignal[] = []
  const leave = store.onSignal(signal => signals.push(signal))
  await store.promoteDueJobs({ limit: 1 })
  leave()
  expect(observed).toEqual([['promoteDueJobs', false]])
})
