import { join } from 'node:path'
import { startContestant } from '../harness/contestant.ts'
import { interleave, medianRatio, type Ratio } from '../harness/interleave.ts'
import { openMachine } from '../harness/machine.ts'
import type { Row } from '../harness/result.ts'
import type { Scenario } from '../harness/scenario.ts'
import { jobsPerSecond, NOOP_SETTINGS } from './noop-embedded.ts'

const ITEMS = 10_000
const AT_ONCE = 50

/**
 * What the slots of a run cost: its no-op items, 50 at once, against as many plain no-op jobs of the same server, which
 * runs up to 2,000 at once, and of one that runs no more than 50.
 */
export const scenario: Scenario = {
  name: 'run-items',
  about: `one run of ${ITEMS} no-op items, ${AT_ONCE} at once, and as many plain jobs, on the embedded store with fsync on`,
  async run(context) {
    const millrace = await startContestant(context, {
      module: 'contestants/noop.ts',
      options: { dataDir: join(context.directory, 'data'), settings: NOOP_SETTINGS },
    })
    const narrow = await startContestant(context, {
      module: 'contestants/noop.ts',
      options: {
        dataDir: join(context.directory, 'narrow'),
        settings: { ...NOOP_SETTINGS, 'max-workers': `${AT_ONCE}` },
      },
    })
    const machine = await openMachine()
    try {
      await Promise.all([millrace.call('run', 5000), narrow.call('run', 5000)])
      await millrace.call('runItems', { items: 1000, atOnce: AT_ONCE })
      const rounds = await interleave({
        machine,
        sides: {
          items: () => millrace.call<number>('runItems', { items: ITEMS, atOnce: AT_ONCE }),
          jobs: () => millrace.call<number>('run', ITEMS),
          narrow: () => narrow.call<number>('run', ITEMS),
        },
        rounds: context.rounds,
        note: context.note,
      })
      const row = (name: string, versus: Ratio): Row => ({
        name,
        value: versus.ratio,
        unit: '×',
        bound: 0.55,
        good: 'at least',
        figures: jobsPerSecond(versus),
      })
      return [
        row('run-items/2000 slots', medianRatio(rounds, 'items', 'jobs')),
        row('run-items/50 slots', medianRatio(rounds, 'items', 'narrow')),
      ]
    } finally {
      await machine.close()
      await Promise.all([millrace.close(), narrow.close()])
    }
  },
}
