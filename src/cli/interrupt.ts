import { type Clock, systemClock } from '../kernel/clock.ts'

/** A terminal signals the whole process group, and npm also forwards the signal: signals this close together are one press of Ctrl-C. */
const SAME_PRESS_MS = 150

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** Calls the listener on SIGINT and SIGTERM, once per press. Returns a function that stops listening. */
export const onInterrupt = (listener: () => void, clock: Pick<Clock, 'monotonic'> = systemClock): (() => void) => {
  let last = Number.NEGATIVE_INFINITY
  let isStopped = false
  const handle = (): void => {
    const now = clock.monotonic()
    const isNew = now - last > SAME_PRESS_MS
    last = now
    if (isNew && !isStopped) listener()
  }
  for (const signal of SIGNALS) process.on(signal, handle)
  return () => {
    isStopped = true
    // Later, because a signal that has just arrived would be lost if nobody listened until the next listener is there.
    setImmediate(() => {
      for (const signal of SIGNALS) process.off(signal, handle)
    })
  }
}
