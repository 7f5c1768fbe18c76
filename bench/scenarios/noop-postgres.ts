import { join } from 'node:path'
import { startContestant } from '../harness/contestant.ts'
import { interleave, medianRatio } from '../harness/interleave.ts'
import { openMachine } from '../harness/machine.ts'
import { startPostgres } from '../harness/postgres.ts'
import type { Scenario } from '../harness/scenario.ts'
import { jobsPerSecond, NOOP_SETTINGS } from './noop-embedded.ts'

const JOBS = 30_000

/** The same no-op jobs with Millrace on PostgreSQL: both on one server, each in a database of its own. */
export const scenario: Scenario = {
  name: 'noop-postgres',
  about: 'no-op jobs: Millrace and graphile-worker batched, both on PostgreSQL with fsync on',
  async run(context) {
    const postgres = await startPostgres()
    const settings = { ...NOOP_SETTINGS, 'database-url': await postgres.createDatabase('millrace') }
    const millrace = await startContestant(context, {
      module: 'contestants/noop.ts',
      options: { dataDir: join(context.directory, 'data'), settings },
    })
    const graphile = await startContestant(context, {
      module: 'peers/graphile-worker.ts',
      options: { url: await postgres.createDatabase('graphile') },
    })
    const machine = await openMachine()
    try {
      await Promise.all([millrace.call('run', 5000), graphile.call('run', 5000)])
      const rounds = await interleave({
        machine,
        sides: {
          millrace: () => millrace.call<number>('run', JOBS),
          graphile: () => graphile.call<number>('run', JOBS),
        },
        rounds: context.rounds,
        note: context.note,
      })
      const versus = medianRatio(rounds, 'millrace', 'graphile')
      return [
        {
          name: 'noop-postgres/graphile-worker',
          value: versus.ratio,
          unit: '×',
          bound: 1.2,
          good: 'at least',
          figures: jobsPerSecond(versus),
        },
      ]
    } finally {
      await Promise.all([machine.close(), millrace.close(), graphile.close()])
      await postgres.stop()
    }
  },
}
