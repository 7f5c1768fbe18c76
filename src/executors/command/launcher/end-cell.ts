import { setTimeout as pause } from 'node:timers/promises'
import { systemTime } from '../../launched-process.ts'
import type { Cell } from './containment.ts'

/** Only a process in uninterruptible sleep survives SIGKILL for this long. */
const GIVE_UP_MS = 10_000

/** Kills all members of a cell until none is left. Returns how many could not be killed in time, or 1 if they could not even be listed. */
export const endCell = async (cell: Cell): Promise<number> => {
  const giveUpAt = systemTime() + GIVE_UP_MS
  for (let wait = 1; ; wait = Math.min(wait * 2, 50)) {
    const left = strike(cell)
    if (left === 0) return 0
    if (systemTime() > giveUpAt) return left
    await pause(wait)
  }
}

/** Returns how many are left. Listing them fails with too many open files; the caller then retries, and other commands are unaffected. */
const strike = (cell: Cell): number => {
  try {
    cell.strike()
    return cell.members().length
  } catch {
    return 1
  }
}
