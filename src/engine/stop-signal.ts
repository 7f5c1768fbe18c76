import type { StopSignal } from '../executors/executor.ts'
import type { Clock } from '../kernel/clock.ts'
import type { StopCause } from '../model/outcome.ts'

/** The engine's end of a `StopSignal`. */
export interface StopSwitch extends StopSignal {
  /** Asks for a stop with a grace in ms. The first cause wins; a later call may only shorten the grace. */
  stop(cause: StopCause, graceMs: number): void
}

export const createStopSignal = (clock: Clock): StopSwitch => {
  let controller: AbortController | null = null // made when somebody asks: few executors do, and it is dear
  const listeners = new Set<() => void>()
  let cause: StopCause | null = null
  let killAt = Number.POSITIVE_INFINITY

  return {
    get cause() {
      return cause
    },
    get killAt() {
      return killAt
    },
    get signal() {
      if (controller === null) {
        controller = new AbortController()
        if (cause !== null) controller.abort(cause)
      }
      return controller.signal
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    stop(newCause, graceMs) {
      const newKillAt = clock.monotonic() + graceMs
      if (cause !== null && newKillAt >= killAt) return
      cause ??= newCause
      killAt = newKillAt
      controller?.abort(cause)
      for (const listener of listeners) listener()
    },
  }
}
