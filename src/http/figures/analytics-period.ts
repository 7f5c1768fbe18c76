import { type FieldError, refuseFields } from '../../kernel/errors.ts'
import { readTime } from '../time.ts'

/** In milliseconds. */
export const HOUR = 3_600_000
/** In milliseconds. */
export const DAY = 24 * HOUR
const LONGEST = 366 * DAY
/** The longest period for which the default trend is hourly. */
const BY_HOUR = 3 * DAY

/** Whole hours from `from` up to but excluding `to`, in epoch ms; and the length of a point in the trend. */
export type Period = { readonly from: number; readonly to: number; readonly unit: 'hour' | 'day' }

type Asked = { readonly from?: string; readonly to?: string; readonly trend?: 'hour' | 'day' }

/** Parses the requested period. Throws `invalid`. */
export const readPeriod = (asked: Asked, now: number): Period => {
  const errors: FieldError[] = []
  const end = readTime({ path: 'to', text: asked.to, errors }) ?? now
  const start = readTime({ path: 'from', text: asked.from, errors }) ?? end - DAY
  if (errors.length === 0 && start >= end) errors.push({ path: 'from', message: 'must be before to' })
  if (errors.length === 0 && end - start > LONGEST)
    errors.push({ path: 'from', message: 'must be at most 366 days before to' })
  refuseFields(errors)
  const from = floor(start, HOUR)
  const to = -floor(-end, HOUR)
  return { from, to, unit: asked.trend ?? (to - from <= BY_HOUR ? 'hour' : 'day') }
}

/** Splits a period into days, to be read one by one: a year of hours of ten thousand workflows would not fit into memory. */
export const daysOf = ({ from, to }: Period): readonly { readonly from: number; readonly to: number }[] => {
  const days: { from: number; to: number }[] = []
  for (let start = from; start < to; start = floor(start, DAY) + DAY)
    days.push({ from: start, to: Math.min(to, floor(start, DAY) + DAY) })
  return days
}

/** The start times of the trend's points. The first and last day may be incomplete. */
export const pointsOf = ({ from, to, unit }: Period): readonly number[] => {
  const step = unit === 'hour' ? HOUR : DAY
  const points: number[] = []
  for (let start = floor(from, step); start < to; start += step) points.push(start)
  return points
}

/** The trend's point for an hour. */
export const pointOf = (hour: number, { unit }: Period): number => floor(hour, unit === 'hour' ? HOUR : DAY)

const floor = (time: number, step: number): number => Math.floor(time / step) * step
