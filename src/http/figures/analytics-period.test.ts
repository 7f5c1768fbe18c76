import { describe, expect, test } from 'vitest'
import { MillraceError } from '../../kernel/errors.ts'
import { DAY, daysOf, HOUR, pointOf, pointsOf, readPeriod } from './analytics-period.ts'

const NOW = Date.parse('2026-11-21T12:34:56.789Z')
const at = (text: string): number => Date.parse(text)

describe('the period of analytics', () => {
  test('is the last day by default, in whole hours, by hour', () => {
    expect(readPeriod({}, NOW)).toEqual({
      from: at('2026-11-20T12:00:00Z'),
      to: at('2026-11-21T13:00:00Z'),
      unit: 'hour',
    })
  })

  test('ends at a given time, and keeps whole hours', () => {
    const period = readPeriod({ from: '2026-11-01T00:00:00Z', to: '2026-11-11T00:00:00Z' }, NOW)
    expect(period).toEqual({ from: at('2026-11-01T00:00:00Z'), to: at('2026-11-11T00:00:00Z'), unit: 'day' })
  })

  test('uses the requested unit', () => {
    expect(readPeriod({ trend: 'day' }, NOW).unit).toBe('day')
  })

  test.each([
    [{ from: 'yesterday' }, ['from']],
    [{ to: '2026-13-01T00:00:00Z', from: '' }, ['to', 'from']],
    [{ from: '2026-11-21T13:00:00Z' }, ['from']],
    [{ from: '2026-11-21T00:00:00Z', to: '2026-11-21T00:00:00Z' }, ['from']],
    [{ from: '2020-01-01T00:00:00Z' }, ['from']],
  ])('%j is refused', (asked, paths) => {
    let thrown: unknown
    try {
      readPeriod(asked, NOW)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(MillraceError)
    expect((thrown as MillraceError).errors.map(({ path }) => path)).toEqual(paths)
  })

  test('is read in parts that join without a gap and end at midnight', () => {
    const period = readPeriod({ from: '2026-10-30T22:00:00Z' }, NOW)
    const days = daysOf(period)
    expect(days[0]?.from).toBe(period.from)
    expect(days.at(-1)?.to).toBe(period.to)
    for (const [index, day] of days.entries()) {
      expect(day.to - day.from).toBeLessThanOrEqual(DAY)
      if (index > 0) expect(day.from).toBe(days[index - 1]?.to)
      if (index > 0) expect(day.from % DAY).toBe(0)
    }
  })

  test.each(['hour', 'day'] as const)('has a trend point for every %s', unit => {
    const period = readPeriod({ from: '2026-11-19T05:00:00Z', trend: unit }, NOW)
    const points = pointsOf(period)
    expect(points.length).toBe(unit === 'hour' ? 56 : 3)
    for (let hour = period.from; hour < period.to; hour += HOUR) expect(points).toContain(pointOf(hour, period))
  })
})
