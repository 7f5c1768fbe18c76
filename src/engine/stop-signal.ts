import type { StopSignal } from '../executors/executor.ts'
import type { Clock } from '../kernel/clock.ts'
import type { StopCause } from '../model/outcome.ts'

/** The engine's side of a `StopSignal`. */
export interface StopSwitch extends StopSignal {
  /** Requests a stop with a grace period in ms. The first cause wins; a later call can only shorten the grace period. */
  stop(cause: StopCause, graceMs: number): void
}

export const createStopSignal = (clock: Clock): StopSwitch => new AttemptStop(clock)

/** A class, because every attempt has one: closures cost the shortest jobs more than their own work. */
class AttemptStop implements StopSwitch {
  readonly #clock: Clock
  /** Created on first use, because it is expensive and few executors need it. */
  #controller: AbortController | null = null
  #listeners: Set<() => void> | null = null
  cause: StopCause | null = null
  killAt = Number.POSITIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController()
      if (this.cause !== null) this.#controller.abort(this.cause)
    }
    return this.#controller.signal
  }

  onChange(listener: () => void): () => void {
    this.#listeners ??= new Set()
    this.#listeners.add(listener)
    return () => this.#listeners!.delete(listener)
  }

  stop(cause: StopCause, graceMs: number): void {
    const killAt = this.#clock.monotonic() + graceMs
    if (this.cause !== null && killAt >= this.killAt) return
    this.cause ??= cause
    this.killAt = killAt
    this.#controller?.abort(this.cause)
    for (const listener of this.#listeners ?? []) listener()
  }
}
