import type { Clock } from '../../src/kernel/clock.ts'

/** A clock that stands still until a test moves it. */
export class VirtualClock implements Clock {
  #now: number

  constructor(start: number) {
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  /** Negative milliseconds set the clock back. */
  advance(milliseconds: number): void {
    this.#now += milliseconds
  }
}
