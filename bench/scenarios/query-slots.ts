import { join } from 'node:path'
import { startContestant } from '../harness/contestant.ts'
import { round } from '../harness/result.ts'
import type { Scenario } from '../harness/scenario.ts'
import { median } from '../harness/statistics.ts'

/** Eight queries of a second each on four slots: two seconds, when queries run side by side. */
export const scenario: Scenario = {
  name: 'query-slots',
  about: '8 queries of 1 s each, 4 slots',
  async run(context) {
    const server = await startContestant(context, {
      module: 'contestants/queries.ts',
      options: { dataDir: join(context.directory, 'data'), settings: { 'max-workers': '4' } },
    })
    try {
      const together = (count: number, sql: string) => server.call<number>('together', { count, sql, format: 'arrow' })
      await together(8, 'SELECT 1')
      const times: number[] = []
      while (times.length < context.rounds) times.push(await together(8, 'SELECT sleep(1)'))
      const figures = `rounds ${times.map(round).join(', ')} s`
      return [{ name: 'query-slots/time', value: median(times), unit: 's', bound: 2.2, good: 'at most', figures }]
    } finally {
      await server.close()
    }
  },
}
