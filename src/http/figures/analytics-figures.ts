import { quantileOf } from '../../model/histogram.ts'
import type { Histogram, HourSums } from '../../store/analytics-store.ts'

const COUNTS = ['completed', 'failed', 'cancelled', 'logLines', 'slotsFired', 'slotsSkipped'] as const
const DURATIONS = ['wait', 'run', 'lateness'] as const

/** What happened to some workflows in some hours. Mutable, because a period may have millions of hours of workflows. */
export type Totals = { [Name in (typeof COUNTS)[number]]: number } & {
  readonly [Name in (typeof DURATIONS)[number]]: Record<number, number>
}

/** Totals of nothing. */
export const newTotals = (): Totals => ({
  completed: 0,
  failed: 0,
  cancelled: 0,
  logLines: 0,
  slotsFired: 0,
  slotsSkipped: 0,
  wait: {},
  run: {},
  lateness: {},
})

/** Adds one hour of a workflow, or other totals. */
export const addTo = (totals: Totals, sums: Totals | HourSums): void => {
  for (const name of COUNTS) totals[name] += sums[name]
  for (const name of DURATIONS) {
    const histogram = totals[name]
    for (const bucket in sums[name]) histogram[bucket] = (histogram[bucket] ?? 0) + (sums[name][bucket] ?? 0)
  }
}

/** The API's view of totals. */
export const viewTotals = (totals: Totals) => ({
  jobs: { completed: totals.completed, failed: totals.failed, cancelled: totals.cancelled },
  success_rate: successRate(totals),
  wait_ms: quantiles(totals.wait),
  run_ms: quantiles(totals.run),
  log_lines: totals.logLines,
  lateness_ms: quantiles(totals.lateness),
  slots: { fired: totals.slotsFired, skipped: totals.slotsSkipped },
})

/** Cancelled jobs count neither as success nor as failure. */
const successRate = ({ completed, failed }: Totals): number | null =>
  completed + failed === 0 ? null : completed / (completed + failed)

const quantiles = (histogram: Histogram) => ({
  p50: rounded(quantileOf(histogram, 0.5)),
  p95: rounded(quantileOf(histogram, 0.95)),
  p99: rounded(quantileOf(histogram, 0.99)),
})

/** To a tenth of a millisecond, which is finer than the buckets. */
const rounded = (milliseconds: number | null): number | null =>
  milliseconds === null ? null : Math.round(milliseconds * 10) / 10
