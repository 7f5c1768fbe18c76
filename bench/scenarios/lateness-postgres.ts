import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Slots } from '../contestants/schedule.ts'
import { type Contestant, startContestant } from '../harness/contestant.ts'
import { openMachine } from '../harness/machine.ts'
import { startPostgres } from '../harness/postgres.ts'
import type { BenchContext, Scenario } from '../harness/scenario.ts'
import { measureSlices, rowsOf, SLICE_MS, WORKFLOWS } from './lateness.ts'

const KILL_EVERY_MS = 5000

/** The slots of many workflows while schedulers are killed: the other one fires them, each once. */
export const scenario: Scenario = {
  name: 'many-lateness',
  about: `${WORKFLOWS} workflows that each run every minute: two schedulers on PostgreSQL, one killed every 5 s, and a worker`,
  async run(context) {
    const postgres = await startPostgres()
    const settings = {
      'database-url': await postgres.createDatabase('millrace'),
      'secret-key': randomBytes(32).toString('hex'),
    }
    const worker = await startContestant(context, {
      module: 'contestants/schedule.ts',
      options: {
        dataDir: join(context.directory, 'worker'),
        settings: { ...settings, 'max-workers': '64', roles: 'api,worker' },
      },
    })
    const schedulers = await startSchedulers(context, settings)
    const machine = await openMachine()
    try {
      await worker.call('create', WORKFLOWS)
      schedulers.beginKilling()
      const watch = () => machine.watch(() => worker.call<Slots>('watch', SLICE_MS))
      return rowsOf('many-lateness', await measureSlices(context, watch), { p99: 300 })
    } finally {
      await machine.close()
      await schedulers.close()
      await worker.close()
      await postgres.stop()
    }
  },
}

/** Two schedulers, of which the older one is killed and replaced time and again. */
const startSchedulers = async (context: BenchContext, settings: Readonly<Record<string, string>>) => {
  const start = (name: string): Promise<Contestant> =>
    startContestant(context, {
      module: 'contestants/scheduler.ts',
      options: { dataDir: join(context.directory, name), settings },
    })
  const living = [await start('one'), await start('two')]
  const replaceOldest = async (): Promise<void> => {
    const oldest = living.shift()!
    process.kill(oldest.pid, 'SIGKILL')
    // A directory belongs to one process: the next one gets another.
    living.push(await start(`scheduler-${oldest.pid}`))
  }

  const stopped = new AbortController()
  /** The five seconds count from when both live: where a start takes longer than that, one would otherwise always be missing. */
  const kill = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await replaceOldest()
      await sleep(KILL_EVERY_MS, null, { signal: stopped.signal }).catch(() => {})
    }
  }
  let killing = Promise.resolve()
  return {
    beginKilling() {
      killing = kill()
    },
    async close() {
      stopped.abort()
      await killing
      await Promise.all(living.map(scheduler => scheduler.close()))
    },
  }
}
