import type { Clock } from '../../kernel/clock.ts'
import type { StopSignal } from '../executor.ts'
import type { StartedCommand } from './launcher.ts'

/** Node's longest timer; later deadlines are looked at again. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Ends a command when its attempt is told to stop: SIGTERM at once, SIGKILL at `killAt`, which may become earlier. */
export const followStop = (stop: StopSignal, command: StartedCommand, clock: Clock): Disposable => {
  let terminated = false
  let timer: NodeJS.Timeout | undefined

  const look = (): void => {
    if (stop.cause === null) return
    clearTimeout(timer)
    const left = stop.killAt - clock.monotonic()
    if (left <= 0) {
      command.kill()
      return
    }
    if (!terminated) command.terminate()
    terminated = true
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
