import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'
import { createTestDatabase, type TestDatabase } from '../test-database.ts'
import { openWay, type Way } from './way-to-database.ts'

let database: TestDatabase
let way: Way
let server: TestServer
beforeAll(async () => {
  database = await createTestDatabase()
  way = await openWay(new URL(database.url))
  const own = new URL(database.url)
  own.port = String(way.port)
  server = await startTestServer({ settings: { 'database-url': own.href } })
})
afterAll(async () => {
  await server?.stop()
  await way?.close()
  await database?.drop()
})

/** Longer than a slot may be late without being missed, and longer than any loop waits after a failure. */
const GONE_MS = 13_000
const SECOND = 1_000

test('slots that are due while PostgreSQL is gone are each fired or recorded once, and firing continues', async () => {
  const { status } = await server.call('POST', '/v1/workflows', {
    name: 'ticking',
    payload: [{ command: 'true' }],
    schedule: { intervals: [{ every: '1s' }], overlap: 'allow', catch_up: '5s' },
  })
  expect(status).toBe(201)
  await expect.poll(async () => (await fired()).length, { timeout: 30_000 }).toBeGreaterThan(0)

  way.cut()
  const gone = Date.now()
  await expect.poll(() => Date.now() - gone, { timeout: GONE_MS * 2, interval: SECOND }).toBeGreaterThan(GONE_MS)
  expect(way.refused).toBeGreaterThan(1)
  const back = Date.now()
  way.restore()

  const isAfter = ({ slot }: Slot): boolean => Date.parse(slot) > back + SECOND
  await expect.poll(async () => (await fired()).filter(isAfter).length, { timeout: 60_000 }).toBeGreaterThan(1)
  const slots = await allSlots()
  for (const [index, one] of slots.entries()) {
    const before = slots[index - 1]
    // No slot is missing between neighbours, and none is recorded twice.
    if (before) expect(Date.parse(one.slot) - Date.parse(before.last_slot)).toBe(SECOND)
    expect((Date.parse(one.last_slot) - Date.parse(one.slot)) / SECOND + 1).toBe(one.count)
  }
  expect(slots.some(({ reason, count }) => reason === 'missed' && count > GONE_MS / SECOND / 2)).toBe(true)
  const { body } = await server.call('GET', '/v1/runs?workflow=ticking&limit=500')
  const runs = new Set(body.runs.map((run: { run_id: string }) => run.run_id))
  for (const { run_id } of slots.filter(({ outcome }) => outcome === 'fired')) expect(runs).toContain(run_id)
}, 180_000)

type Slot = {
  readonly slot: string
  readonly last_slot: string
  readonly count: number
  readonly outcome: string
  readonly reason: string | null
  readonly run_id: string | null
}

/** Oldest first. */
const allSlots = async (): Promise<readonly Slot[]> =>
  (await server.call('GET', '/v1/workflows/ticking/slots?limit=500')).body.slots.toReversed()

const fired = async (): Promise<readonly Slot[]> => (await allSlots()).filter(({ outcome }) => outcome === 'fired')
