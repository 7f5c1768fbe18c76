import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { type Clock, systemClock } from '../../src/kernel/clock.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import type { Store } from '../../src/store/store.ts'
import { VirtualClock } from '../conformance/virtual-clock.ts'
import { createTestDatabase, type TestDatabase } from '../test-database.ts'
import { type Outbox, openOutbox } from './outbox.ts'
import { type Receiver, receive, webhook } from './receiver.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())
beforeEach(() => database.renew())

/** Which ids each job was delivered under, and how often. */
const toldOf = ({ bodies, requests }: Receiver): ReadonlyMap<string, readonly string[]> => {
  const told = new Map<string, string[]>()
  for (const [index, body] of bodies.entries()) {
    const jobId = JSON.parse(body).data.job.job_id
    told.set(jobId, [...(told.get(jobId) ?? []), String(requests[index]!.headers['webhook-id'])])
  }
  return told
}

const areDelivered = (count: number) => (deliveries: readonly { status: string }[]) =>
  deliveries.length === count && deliveries.every(({ status }) => status === 'delivered')

test('two loops on one PostgreSQL share the outbox: each delivery is sent once, by one of them', async () => {
  const outbox = await openOutbox(systemClock, () => openPostgresStore({ url: database.url, processName: 'first' }))
  const second = await openPostgresStore({ url: database.url, processName: 'second' })
  const receiver = await receive((_, response) => response.end())
  const claims = [counting(outbox.store), counting(second)]
  const loops = claims.map(({ store }) => outbox.startLoop({ store }))
  onTestFinished(async () => {
    await Promise.all(loops.map(loop => loop.stop()))
    await second.close()
  })
  const jobs = await outbox.finish({ sinks: [webhook(receiver.url)], count: 300 })
  await outbox.until(areDelivered(300))
  expect([...toldOf(receiver)].map(([jobId, ids]) => [jobId, ids.length]).toSorted()).toEqual(
    [...jobs].sort().map(jobId => [jobId, 1]),
  )
  for (const { claimed } of claims) expect(claimed()).toBeGreaterThan(0)
})

/** The store, with claimed deliveries counted. */
const counting = (store: Store) => {
  let claimed = 0
  const counted: Store = {
    ...store,
    claimDeliveries: async input => {
      const outcome = await store.claimDeliveries(input)
      claimed += outcome.claimed.length
      return outcome
    },
  }
  return { store: counted, claimed: () => claimed }
}

test('deliveries that a killed process was sending are sent by another one, under the same id', async () => {
  const clock = new VirtualClock(Date.now())
  const open = (options: { clock: Clock }) =>
    openPostgresStore({ url: database.url, processName: 'survivor', clock: options.clock })
  const outbox = await openOutbox(clock, open)
  const held: ServerResponse[] = []
  let isAlive = true
  const receiver = await receive((_, response) => {
    if (isAlive && receiver.requests.length > 20) held.push(response)
    else response.end()
  })
  await outbox.finish({ sinks: [webhook(receiver.url)], count: 60 })
  const kill = startProcess(outbox)
  // Some have been delivered and ended, some are being sent, the others are claimed and wait.
  await outbox.until(deliveries => deliveries.filter(({ status }) => status === 'delivered').length >= 10)
  await vi.waitFor(() => expect(held.length).toBeGreaterThan(0), { timeout: 20_000 })
  await kill()
  isAlive = false
  const before = await outbox.deliveries()
  const left = before.filter(({ status }) => status === 'pending')
  expect(left.length).toBeGreaterThan(0)

  outbox.startLoop()
  clock.advance(120_000) // the leases of the dead are over
  const deliveries = await outbox.until(areDelivered(60))
  const told = toldOf(receiver)
  for (const { id, jobId } of deliveries) expect(new Set(told.get(jobId))).toEqual(new Set([id]))
  const twice = deliveries.filter(({ jobId }) => told.get(jobId)!.length === 2).map(({ id }) => id)
  expect(twice.length).toBeGreaterThanOrEqual(held.length)
  expect(left.map(({ id }) => id)).toEqual(expect.arrayContaining(twice))
})

const startProcess = ({ dataDir }: Outbox<Clock>): (() => Promise<void>) => {
  const script = fileURLToPath(new URL('./deliver-process.ts', import.meta.url))
  const child = spawn(process.execPath, [script, database.url, dataDir], { stdio: ['ignore', 'ignore', 'inherit'] })
  const exited = once(child, 'exit')
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }
  onTestFinished(kill)
  return kill
}
