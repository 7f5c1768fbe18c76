import { join } from 'node:path'
import { startContestant } from '../harness/contestant.ts'
import { interleave } from '../harness/interleave.ts'
import { openMachine } from '../harness/machine.ts'
import { round } from '../harness/result.ts'
import type { Scenario } from '../harness/scenario.ts'
import { median } from '../harness/statistics.ts'

const JOBS = 10_000
const AT_ONCE = 8

/** Functions that return at once, each in its turn in one of eight warm processes, with result and history kept. */
export const scenario: Scenario = {
  name: 'api-items',
  about: `functions that return at once, ${AT_ONCE} at a time in warm hosts, through the whole server`,
  async run(context) {
    const server = await startContestant(context, {
      module: 'contestants/functions.ts',
      options: { dataDir: join(context.directory, 'data'), hosts: AT_ONCE },
    })
    const machine = await openMachine()
    try {
      const sides = { functions: () => server.call<number>('run', JOBS) }
      await sides.functions()
      const rounds = await interleave({ machine, sides, rounds: context.rounds, note: context.note })
      const rates = rounds.map(({ figures }) => figures.functions)
      return [
        {
          name: 'api-items',
          value: median(rates),
          unit: 'jobs/s',
          bound: 4000,
          good: 'at least',
          figures: `rounds ${round(Math.min(...rates))}…${round(Math.max(...rates))} jobs/s`,
        },
      ]
    } finally {
      await machine.close()
      await server.close()
    }
  },
}
