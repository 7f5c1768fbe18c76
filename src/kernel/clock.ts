/**
 * The two clocks a program needs. `now` is wall-clock time in milliseconds since the Unix epoch; it may jump. `monotonic` counts milliseconds from an
 * arbitrary start and never jumps; timeouts and leases use it.
 */
export interface Clock {
  now(): number
  monotonic(): number
}

export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
})

/** RFC 3339 text in UTC with milliseconds, the form of every time in the API. Throws `RangeError` for an invalid time. */
export const toTimestamp = (epochMs: number): string => {
  const ms = Math.trunc(epochMs)
  const second = Math.floor(ms / 1000)
  if (second !== latest.second) latest = { second, text: new Date(second * 1000).toISOString().slice(0, -4) }
  return `${latest.text}${String(ms - second * 1000).padStart(3, '0')}Z`
}

/** The same; null stays null. */
export const nullableTimestamp = (epochMs: number | null): string | null =>
  epochMs === null ? null : toTimestamp(epochMs)

/** Cache of the last second formatted: the times on a page of jobs lie close together, and formatting dates took a fifth of the page's time. */
let latest = { second: Number.NaN, text: '' }
