import type { Clock } from '../../../kernel/clock.ts'

/**
 * The wall clock's time when the store was opened, in whole milliseconds, advanced by the monotonic clock. Leases use it: one process owns the
 * database, so its own time is all they need, and a clock set forward (an NTP step, a suspended machine that wakes) must not end the attempts of a
 * live worker.
 */
export const createLeaseClock = (clock: Clock): (() => number) => {
  const offset = clock.now() - clock.monotonic()
  return () => Math.floor(offset + clock.monotonic())
}
