import { join } from 'node:path'
import type { Slots } from '../contestants/schedule.ts'
import { startContestant } from '../harness/contestant.ts'
import { openMachine, TOLERABLE_DISTURBANCE } from '../harness/machine.ts'
import { type Row, round } from '../harness/result.ts'
import type { BenchContext, Scenario } from '../harness/scenario.ts'
import { percentile } from '../harness/statistics.ts'

const WORKFLOWS = 10_000
const SLICE_MS = 20_000

/** How late slots are: from the slot to the call of the executor, with everything that is written between them. */
export const scenario: Scenario = {
  name: 'lateness',
  about: `${WORKFLOWS} workflows that each run every minute, spread over it, on the embedded store with fsync on`,
  async run(context) {
    const millrace = await startContestant(context, {
      module: 'contestants/schedule.ts',
      options: { dataDir: join(context.directory, 'data'), settings: { 'max-workers': '64' } },
    })
    const machine = await openMachine()
    try {
      await millrace.call('create', WORKFLOWS)
      return await measure(context, () => machine.watch(() => millrace.call<Slots>('watch', SLICE_MS)))
    } finally {
      await machine.close()
      await millrace.close()
    }
  },
}

type Slice = { readonly value: Slots; readonly disturbance: number }

/** Latenesses of the calmest slices; missed and doubled slots of all. */
const measure = async (context: BenchContext, watch: () => Promise<Slice>): Promise<readonly Row[]> => {
  const slices: Slice[] = []
  const calm = () => slices.filter(({ disturbance }) => disturbance <= TOLERABLE_DISTURBANCE)
  while (calm().length < context.rounds && slices.length < 3 * context.rounds) {
    const slice = await watch()
    slices.push(slice)
    const p99 = percentile([...slice.value.lateness], 0.99)
    context.note(`p99 ${p99.toFixed(1)} ms (disturbance ${slice.disturbance.toFixed(2)})`)
  }
  const calmest = slices.toSorted((a, b) => a.disturbance - b.disturbance).slice(0, context.rounds)
  return [
    ...latenessRows(calmest.flatMap(({ value }) => value.lateness)),
    ...countRows(slices.map(({ value }) => value)),
  ]
}

const latenessRows = (lateness: readonly number[]): readonly Row[] => {
  const row = (label: string, p: number, bound: number): Row => ({
    name: `lateness ${label}`,
    value: percentile([...lateness], p),
    unit: 'ms',
    bound,
    good: 'at most',
    figures: `${round(lateness.length)} slots, the latest ${round(Math.max(...lateness))} ms`,
  })
  return [row('p50', 0.5, 10), row('p99', 0.99, 100)]
}

const countRows = (slots: readonly Slots[]): readonly Row[] => {
  const seen = slots.reduce((sum, { lateness }) => sum + lateness.length, 0)
  const row = (label: string, value: number): Row => ({
    name: `lateness ${label}`,
    value,
    unit: 'slots',
    bound: 0,
    good: 'at most',
    figures: `of ${round(seen)}`,
  })
  return [
    row(
      'missed',
      slots.reduce((sum, { missed }) => sum + missed, 0),
    ),
    row(
      'doubled',
      slots.reduce((sum, { doubled }) => sum + doubled, 0),
    ),
  ]
}
