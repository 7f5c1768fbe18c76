import type { Clock } from '../../../kernel/clock.ts'

/**
 * Whole milliseconds of the wall clock as it was when the store was opened, and from there on of the monotonic one. Leases are measured by it: one
 * process has the database, so that its own time is all they need, and a clock that is set forward (an NTP step, a suspended machine
 * that wakes) must not end the attempts of a worker that lives.
 */
export const createLeaseClock = (clock: Clock): (() => number) => {
  const offset = clock.now() - clock.monotonic()
  return () => Math.floor(offset + clock.monotonic())
}
