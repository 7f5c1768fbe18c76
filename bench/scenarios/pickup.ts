import { join } from 'node:path'
import type { Pickup } from '../contestants/noop.ts'
import { type Contestant, startContestant } from '../harness/contestant.ts'
import { openMachine, TOLERABLE_DISTURBANCE } from '../harness/machine.ts'
import { startPostgres } from '../harness/postgres.ts'
import { type Row, round } from '../harness/result.ts'
import type { BenchContext, Scenario } from '../harness/scenario.ts'
import { percentile } from '../harness/statistics.ts'

const JOBS_PER_SLICE = 100
const SLICES = 10

/** How long after the commit of its submission a job starts on an idle server. */
export const scenario: Scenario = {
  name: 'pickup',
  about: 'commit of the submit to start of the executor, one job at a time on an idle server',
  async run(context) {
    const postgres = await startPostgres()
    const embedded = await startContestant(context, {
      module: 'contestants/noop.ts',
      options: { dataDir: join(context.directory, 'sqlite') },
    })
    const shared = await startContestant(context, {
      module: 'contestants/noop.ts',
      options: {
        dataDir: join(context.directory, 'postgres'),
        settings: { 'database-url': await postgres.createDatabase('millrace') },
      },
    })
    try {
      return [
        ...rows('pickup/embedded', await measure(context, embedded), { p50: 1, p99: 5 }),
        ...rows('pickup/postgres', await measure(context, shared), { p50: 4, p99: 15 }),
      ]
    } finally {
      await Promise.all([embedded.close(), shared.close()])
      await postgres.stop()
    }
  },
}

/** Latencies of the calmest slices: at most half of those measured are left out. */
const measure = async (context: BenchContext, contestant: Contestant): Promise<readonly Pickup[]> => {
  const machine = await openMachine()
  await contestant.call('pickup', 30)
  const slices: { value: readonly Pickup[]; disturbance: number }[] = []
  const calm = () => slices.filter(({ disturbance }) => disturbance <= TOLERABLE_DISTURBANCE)
  while (calm().length < SLICES && slices.length < 2 * SLICES) {
    const slice = await machine.watch(() => contestant.call<readonly Pickup[]>('pickup', JOBS_PER_SLICE))
    slices.push(slice)
    context.note(
      `p99 ${percentile(
        slice.value.map(({ afterCommit }) => afterCommit),
        0.99,
      ).toFixed(2)} ms (disturbance ${slice.disturbance.toFixed(2)})`,
    )
  }
  await machine.close()
  return slices
    .sort((a, b) => a.disturbance - b.disturbance)
    .slice(0, SLICES)
    .flatMap(({ value }) => value)
}

const rows = (name: string, pickups: readonly Pickup[], bounds: { p50: number; p99: number }): readonly Row[] => {
  const afterCommit = pickups.map(pickup => pickup.afterCommit)
  const afterCall = pickups.map(pickup => pickup.afterCall)
  const row = (label: string, p: number, bound: number): Row => ({
    name: `${name} ${label}`,
    value: percentile(afterCommit, p),
    unit: 'ms',
    bound,
    good: 'at most',
    figures: `${pickups.length} jobs; from the call of submit ${round(percentile(afterCall, p))} ms`,
  })
  return [row('p50', 0.5, bounds.p50), row('p99', 0.99, bounds.p99)]
}
