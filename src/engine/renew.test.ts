import { expect, onTestFinished, test } from 'vitest'
import { claimedJob } from '../../test/command/attempt.ts'
import { type Logger, silentLogger } from '../kernel/logger.ts'
import type { Lease } from '../model/job.ts'
import type { RenewOutcome, Store } from '../store/store.ts'
import { createRenewLoop } from './renew.ts'
import { createRunningJobs } from './running-jobs.ts'
import { createStopSignal } from './stop-signal.ts'

const beat = { id: 'w' } as Parameters<typeof createRenewLoop>[0]['beat']

/** A loop over a store that answers when the test decides. */
const startLoop = (store: Partial<Store>, logger: Logger = silentLogger) => {
  const clock = { ahead: 0, now: () => 0, monotonic: (): number => clock.ahead }
  const running = createRunningJobs()
  const claim = () => {
    const attempt = { job: claimedJob({ command: 'true' }), stop: createStopSignal(clock) }
    running.add(attempt)
    return attempt
  }
  const loop = createRenewLoop({ store: store as Store, clock, logger, running, executors: [], beat })
  onTestFinished(() => loop.stop())
  return { clock, claim, loop }
}

const turns = (ms: number): Promise<unknown> => new Promise(resolve => setTimeout(resolve, ms))

test('an answer after its leases have expired does not end jobs claimed since then', async () => {
  const asked: { leases: readonly Lease[]; answer: (outcome: RenewOutcome) => void }[] = []
  const { clock, claim, loop } = startLoop({
    renewLeases: ({ leases }) => new Promise(answer => asked.push({ leases, answer })),
    beatWorker: async () => {},
  })
  const first = claim()
  loop.start()
  await expect.poll(() => asked.length, { timeout: 20_000 }).toBe(1)
  clock.ahead = 20_000
  const second = claim()
  asked[0]!.answer({ lost: [first.job.id], cancelling: [] })
  await expect.poll(() => first.stop.cause, { timeout: 20_000 }).toBe('lease_lost')
  // A fault would end it at once, by a timer without a delay.
  await turns(20)
  expect(second.stop.cause).toBeNull()
})

test('a store that is away for long is tried every few seconds, so that jobs claimed on its return have a normal lease', async () => {
  const waits: number[] = []
  const logger = {
    error: (_: object, text: string) => waits.push(Number(/again in (\d+) ms/.exec(text)![1])),
  } as unknown as Logger
  const beatWorker = async (): Promise<void> => {
    throw new Error('The store is away.')
  }
  const { clock, loop } = startLoop({ beatWorker }, logger)
  loop.start()
  for (let faults = 1; faults <= 8; faults++) {
    await expect.poll(() => waits.length, { timeout: 20_000 }).toBe(faults)
    await turns(0)
    clock.ahead += waits.at(-1)!
    loop.wake()
  }
  expect(waits).toEqual([250, 500, 1000, 2000, 4000, 4000, 4000, 4000])
})
