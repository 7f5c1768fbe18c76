import { join } from 'node:path'
import type { Slots } from '../contestants/schedule.ts'
import { startContestant } from '../harness/contestant.ts'
import { openMachine, TOLERABLE_DISTURBANCE } from '../harness/machine.ts'
import { type Row, round } from '../harness/result.ts'
import type { BenchContext, Scenario } from '../harness/scenario.ts'
import { percentile } from '../harness/statistics.ts'

/** Each runs every minute. */
export const WORKFLOWS = 10_000
export const SLICE_MS = 20_000

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
      const watch = () => machine.watch(() => millrace.call<Slots>('watch', SLICE_MS))
      return rowsOf('lateness', await measureSlices(context, watch), { p50: 10, p99: 100 })
    } finally {
      await machine.close()
      await millrace.close()
    }
  },
}

/** What became of the slots of a while, and how disturbed the machine was meanwhile. */
export type Slice = { readonly value: Slots; readonly disturbance: number }

/** As many slices as there are rounds in which the machine was ours; up to three times as many are measured. */
export const measureSlices = async (context: BenchContext, watch: () => Promise<Slice>): Promise<readonly Slice[]> => {
  const slices: Slice[] = []
  const calm = () => slices.filter(({ disturbance }) => disturbance <= TOLERABLE_DISTURBANCE)
  while (calm().length < context.rounds && slices.length < 3 * context.rounds) {
    const slice = await watch()
    slices.push(slice)
    const p99 = percentile(slice.value.lateness, 0.99)
    context.note(`p99 ${p99.toFixed(1)} ms (disturbance ${slice.disturbance.toFixed(2)})`)
  }
  return slices.sort((a, b) => a.disturbance - b.disturbance)
}

type Bounds = { readonly p50?: number; readonly p99: number }

/** Latenesses of the calmer half of the slices; missed and doubled slots of all. */
export const rowsOf = (name: string, slices: readonly Slice[], bounds: Bounds): readonly Row[] => {
  const lateness = slices.slice(0, Math.ceil(slices.length / 2)).flatMap(({ value }) => value.lateness)
  const percentileRow = (label: string, p: number, bound: number): Row => ({
    name: `${name} ${label}`,
    value: percentile(lateness, p),
    unit: 'ms',
    bound,
    good: 'at most',
    figures: `${round(lateness.length)} slots, the latest ${round(percentile(lateness, 1))} ms`,
  })
  const sum = (figure: (slots: Slots) => number) => slices.reduce((total, { value }) => total + figure(value), 0)
  const countRow = (label: string, value: number): Row => ({
    name: `${name} ${label}`,
    value,
    unit: 'slots',
    bound: 0,
    good: 'at most',
    figures: `of ${round(sum(slots => slots.lateness.length))}`,
  })
  return [
    ...(bounds.p50 === undefined ? [] : [percentileRow('p50', 0.5, bounds.p50)]),
    percentileRow('p99', 0.99, bounds.p99),
    countRow(
      'missed',
      sum(slots => slots.missed),
    ),
    countRow(
      'doubled',
      sum(slots => slots.doubled),
    ),
  ]
}
