import { LONGEST_TIMER_MS } from '../kernel/longest-timer.ts'
import type { ExecutionContext } from './executor.ts'

type Running = {
  /** Requests the end, at most once. `kill` may be called without it. */
  readonly ask: (cause: string) => void
  readonly kill: () => void
}

/** Ends what an attempt runs when the attempt is stopped: requests the end at once and kills at `killAt`, which may become earlier. */
export const followStop = ({ stop, clock }: Pick<ExecutionContext, 'stop' | 'clock'>, running: Running): Disposable => {
  let isAsked = false
  let timer: NodeJS.Timeout | undefined

  const look = (): void => {
    if (stop.cause === null) return
    clearTimeout(timer)
    const left = stop.killAt - clock.monotonic()
    if (left <= 0) {
      running.kill()
      return
    }
    if (!isAsked) running.ask(stop.cause)
    isAsked = true
    // A later deadline is checked again when it fires.
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
