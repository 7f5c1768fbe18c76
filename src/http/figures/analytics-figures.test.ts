import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bucketOf } from '../../model/histogram.ts'
import type { HourSums } from '../../store/analytics-store.ts'
import { addTo, newTotals, viewTotals } from './analytics-figures.ts'

const count = fc.nat(1000)
const histogram = fc.dictionary(fc.nat(200).map(String), fc.integer({ min: 1, max: 1000 }), { maxKeys: 8 })
const sums: fc.Arbitrary<HourSums> = fc.record({
  hour: fc.constant(0),
  workflowId: fc.constant(null),
  completed: count,
  failed: count,
  cancelled: count,
  logLines: count,
  slotsFired: count,
  slotsSkipped: count,
  wait: histogram,
  run: histogram,
  lateness: histogram,
})

test('hours can be added in any order and grouping', () => {
  fc.assert(
    fc.property(fc.array(sums), fc.nat(), (hours, seed) => {
      const whole = newTotals()
      for (const hour of hours) addTo(whole, hour)
      const grouped = newTotals()
      const cut = hours.length === 0 ? 0 : seed % hours.length
      for (const group of [hours.slice(cut), hours.slice(0, cut)]) {
        const part = newTotals()
        for (const hour of group) addTo(part, hour)
        addTo(grouped, part)
      }
      expect(grouped).toEqual(whole)
    }),
  )
})

test('adding does not change the added figures', () => {
  const hour = { ...newTotals(), hour: 0, workflowId: null, completed: 1, wait: { 3: 1 } }
  const totals = newTotals()
  addTo(totals, hour)
  addTo(totals, hour)
  expect(totals).toMatchObject({ completed: 2, wait: { 3: 2 } })
  expect(hour.wait).toEqual({ 3: 1 })
})

test('empty figures have neither a rate nor quantiles', () => {
  const none = { p50: null, p95: null, p99: null }
  expect(viewTotals(newTotals())).toEqual({
    jobs: { completed: 0, failed: 0, cancelled: 0 },
    success_rate: null,
    wait_ms: none,
    run_ms: none,
    log_lines: 0,
    lateness_ms: none,
    slots: { fired: 0, skipped: 0 },
  })
})

test('cancelled jobs count as neither success nor failure, and quantiles are close to the durations', () => {
  const totals = {
    ...newTotals(),
    completed: 3,
    failed: 1,
    cancelled: 100,
    run: { [bucketOf(100)]: 90, [bucketOf(5000)]: 10 },
  }
  const view = viewTotals(totals)
  expect(view.success_rate).toBe(0.75)
  expect(Math.abs((view.run_ms.p50 ?? 0) - 100)).toBeLessThan(5)
  expect(Math.abs((view.run_ms.p99 ?? 0) - 5000)).toBeLessThan(250)
})
