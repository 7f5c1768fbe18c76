import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Contestant, startContestant } from '../harness/contestant.ts'
import { interleave, medianRatio, type Ratio } from '../harness/interleave.ts'
import { openMachine } from '../harness/machine.ts'
import { startPostgres } from '../harness/postgres.ts'
import { startRedis } from '../harness/redis.ts'
import { type Row, round } from '../harness/result.ts'
import type { BenchContext, Scenario } from '../harness/scenario.ts'

/** Slots of a measured Millrace: no-op jobs hold one for microseconds, so that many are claimed at once, as by the peers. */
export const NOOP_SLOTS = '2000'
export const NOOP_SETTINGS = { 'max-workers': NOOP_SLOTS, 'max-queued': '1000000000' }

const JOBS = 30_000
const BULLMQ_JOBS = 6_000

/** No-op jobs in batches of 1,000, run to `completed` with history, on the embedded store with fsync on. */
export const scenario: Scenario = {
  name: 'noop-embedded',
  about: 'no-op jobs: Millrace on SQLite, graphile-worker batched on PostgreSQL, BullMQ on Redis; fsync on everywhere',
  async run(context) {
    const postgres = await startPostgres()
    const redis = await startRedisIn(context)
    const millrace = await startContestant(context, {
      module: 'contestants/noop.ts',
      options: { dataDir: join(context.directory, 'data'), settings: NOOP_SETTINGS },
    })
    const graphile = await startContestant(context, {
      module: 'peers/graphile-worker.ts',
      options: { url: await postgres.createDatabase('graphile') },
    })
    const bullmq =
      redis && (await startContestant(context, { module: 'peers/bullmq.ts', options: { port: redis.port } }))
    try {
      return await compare(context, { millrace, graphile, bullmq })
    } finally {
      await Promise.all([millrace.close(), graphile.close(), bullmq?.close()])
      await Promise.all([postgres.stop(), redis?.stop()])
    }
  },
}

const startRedisIn = async (context: BenchContext) => {
  const directory = join(context.directory, 'redis')
  await mkdir(directory)
  return startRedis(directory)
}

type Sides = { readonly millrace: Contestant; readonly graphile: Contestant; readonly bullmq: Contestant | null }

const compare = async (context: BenchContext, { millrace, graphile, bullmq }: Sides): Promise<readonly Row[]> => {
  const machine = await openMachine()
  await Promise.all([millrace.call('run', 5000), graphile.call('run', 5000), bullmq?.call('run', 1000)])
  const rounds = await interleave({
    machine,
    sides: {
      millrace: () => millrace.call<number>('run', JOBS),
      graphile: () => graphile.call<number>('run', JOBS),
      bullmq: () => bullmq?.call<number>('run', BULLMQ_JOBS) ?? Promise.resolve(Number.NaN),
    },
    rounds: context.rounds,
    note: context.note,
  }).finally(() => machine.close())
  const versus = medianRatio(rounds, 'millrace', 'graphile')
  return [
    {
      name: 'noop-embedded/graphile-worker',
      value: versus.ratio,
      unit: '×',
      bound: 1.3,
      good: 'at least',
      figures: jobsPerSecond(versus),
    },
    bullmq === null
      ? { name: 'noop-embedded/bullmq', skipped: 'redis-server is not installed' }
      : bullmqRow(medianRatio(rounds, 'millrace', 'bullmq')),
  ]
}

const bullmqRow = (versus: Ratio): Row => ({
  name: 'noop-embedded/bullmq',
  value: versus.ratio,
  unit: '×',
  bound: 5,
  good: 'at least',
  figures: jobsPerSecond(versus),
})

/** The two figures of a ratio and the range of all rounds. */
export const jobsPerSecond = ({ a, b, spread }: Ratio): string =>
  `${round(a)} : ${round(b)} jobs/s (rounds ${spread.map(ratio => ratio.toFixed(2)).join('…')} ×)`
