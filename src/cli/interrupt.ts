import { type Clock, systemClock } from '../kernel/clock.ts'

/** A terminal signals a whole group, and npm forwards on top: what comes this close together is one press of Ctrl-C. */
const SAME_PRESS_MS = 150

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** Calls back at each SIGINT or SIGTERM, once a press. Returns how to stop listening. */
export const onInterrupt = (listener: () => void, clock: Pick<Clock, 'monotonic'> = systemClock): (() => void) => {
  let last = Number.NEGATIVE_INFINITY
  const handle = (): void => {
    const now = clock.monotonic()
    const isNew = now - last > SAME_PRESS_MS
    last = now
    if (isNew) listener()
  }
  for (const signal of SIGNALS) process.on(signal, handle)
  return () => {
    for (const signal of SIGNALS) process.off(signal, handle)
  }
}
