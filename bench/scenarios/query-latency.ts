import { join } from 'node:path'
import { startContestant } from '../harness/contestant.ts'
import { round } from '../harness/result.ts'
import type { Scenario } from '../harness/scenario.ts'
import { percentile } from '../harness/statistics.ts'

const JOBS = 300
const WARM_UP = 50

/** The smallest query as a job, submit to completed, with the engine warm. */
export const scenario: Scenario = {
  name: 'query-latency',
  about: 'SELECT 1 as a job, submit to completed, engine warm',
  async run(context) {
    const server = await startContestant(context, {
      module: 'contestants/queries.ts',
      options: { dataDir: join(context.directory, 'data') },
    })
    try {
      const measure = (count: number) =>
        server.call<readonly number[]>('latencies', { sql: 'SELECT 1', format: 'arrow', count })
      await measure(WARM_UP)
      const latencies = await measure(JOBS)
      const figures = [0.5, 0.9, 0.99].map(p => `p${p * 100} ${round(percentile(latencies, p))}`).join(', ')
      return [
        {
          name: 'query-latency/p50',
          value: percentile(latencies, 0.5),
          unit: 'ms',
          bound: 15,
          good: 'at most',
          figures: `${figures} ms of ${JOBS} jobs`,
        },
      ]
    } finally {
      await server.close()
    }
  },
}
