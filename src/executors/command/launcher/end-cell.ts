import { setTimeout as pause } from 'node:timers/promises'
import { systemTime } from '../launch-protocol.ts'
import type { Cell } from './containment.ts'

/** Only a process in uninterruptible sleep outlives SIGKILL for so long. */
const GIVE_UP_MS = 10_000

/** Kills all members of a cell until none is left. Returns how many could not be killed within the bound. */
export const endCell = async (cell: Cell): Promise<number> => {
  const giveUpAt = systemTime() + GIVE_UP_MS
  for (let wait = 1; ; wait = Math.min(wait * 2, 50)) {
    cell.strike()
    const left = cell.members().length
    if (left === 0) return 0
    if (systemTime() > giveUpAt) return left
    await pause(wait)
  }
}
