/**
 * The two times a program needs. `now` is wall-clock time in milliseconds since the Unix epoch: it may jump.
 * `monotonic` counts milliseconds from an arbitrary start and never jumps: timeouts and leases are measured with it.
 */
export interface Clock {
  now(): number
  monotonic(): number
}

export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
})

/** RFC 3339 text in UTC with milliseconds, the form of every time in the API. */
export const toTimestamp = (epochMs: number): string => new Date(epochMs).toISOString()
