import type { ExecutionContext } from '../executor.ts'

/** Node's longest timer; later deadlines are looked at again. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

type Running = {
  /** The signal of the function aborts. */
  readonly stop: (reason: string) => void
  readonly kill: () => void
}

/** Ends an item when it is told to: its signal aborts at once, and its host is killed at `killAt`, which may become earlier. */
export const followStop = ({ stop, clock }: Pick<ExecutionContext, 'stop' | 'clock'>, running: Running): Disposable => {
  let told = false
  let timer: NodeJS.Timeout | undefined

  const look = (): void => {
    if (stop.cause === null) return
    clearTimeout(timer)
    if (!told) running.stop(stop.cause)
    told = true
    const left = stop.killAt - clock.monotonic()
    if (left <= 0) {
      running.kill()
      return
    }
    timer = setTimeout(look, Math.min(left, LONGEST_TIMER_MS))
  }

  const unsubscribe = stop.onChange(look)
  look()
  return {
    [Symbol.dispose]: () => {
      unsubscribe()
      clearTimeout(timer)
    },
  }
}
