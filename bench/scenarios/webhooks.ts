import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { startContestant } from '../harness/contestant.ts'
import { openMachine, TOLERABLE_DISTURBANCE } from '../harness/machine.ts'
import { type Row, round } from '../harness/result.ts'
import type { BenchContext, Scenario } from '../harness/scenario.ts'
import { median } from '../harness/statistics.ts'
import { NOOP_SETTINGS } from './noop-embedded.ts'

const JOBS = 5_000
/** Jobs that are told to nobody, for each that is: the work beside which webhooks are delivered. */
const OTHERS = 3
const SECRET = `whsec_${randomBytes(32).toString('base64')}`

/** Signed webhooks to a receiver on this machine, from the first submit to the last arrival, while four times as many jobs run. */
export const scenario: Scenario = {
  name: 'webhooks',
  about: `${JOBS} jobs with a webhook among ${JOBS * (OTHERS + 1)}, all submitted at once, on the embedded store with fsync on`,
  async run(context) {
    const receiver = await startContestant(context, { module: 'contestants/receiver.ts', options: {} })
    const millrace = await startContestant(context, {
      module: 'contestants/webhooks.ts',
      options: {
        dataDir: join(context.directory, 'data'),
        settings: { ...NOOP_SETTINGS, 'allow-private-addresses': '127.0.0.1' },
      },
    })
    const machine = await openMachine()
    try {
      const url = await receiver.call<string>('url')
      const deliver = async (jobs: number): Promise<{ rate: number; twice: number }> => {
        const start = performance.now()
        const [{ twice }] = await Promise.all([
          receiver.call<{ twice: number }>('arrived', jobs),
          millrace.call('run', { jobs, others: OTHERS, url, secret: SECRET }),
        ])
        const rate = (jobs / (performance.now() - start)) * 1000
        await millrace.call('rest')
        return { rate, twice }
      }
      await deliver(500)
      return await measure(context, () => machine.watch(() => deliver(JOBS)))
    } finally {
      await machine.close()
      await millrace.close()
      await receiver.close()
    }
  },
}

type Slice = () => Promise<{ value: { rate: number; twice: number }; disturbance: number }>

/** Rounds in which the machine was disturbed are measured again, up to three times as many as asked for. */
const measure = async (context: BenchContext, slice: Slice): Promise<readonly Row[]> => {
  const slices: Awaited<ReturnType<Slice>>[] = []
  const calm = () => slices.filter(({ disturbance }) => disturbance <= TOLERABLE_DISTURBANCE).length
  while (calm() < context.rounds && slices.length < 3 * context.rounds) {
    const measured = await slice()
    context.note(`${round(measured.value.rate)} webhooks/s (disturbance ${measured.disturbance.toFixed(2)})`)
    slices.push(measured)
  }
  const counted = slices.sort((a, b) => a.disturbance - b.disturbance).slice(0, context.rounds)
  const rates = counted.map(({ value }) => value.rate)
  const twice = slices.reduce((sum, { value }) => sum + value.twice, 0)
  return [
    {
      name: 'webhooks/local receiver',
      value: median(rates),
      unit: '/s',
      bound: 1000,
      good: 'at least',
      figures: `rounds ${rates.map(round).join(', ')}; beside ${round(median(rates) * OTHERS)} other jobs/s; sent twice: ${twice}`,
    },
  ]
}
