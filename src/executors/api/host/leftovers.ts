import childProcess from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { syncBuiltinESMExports } from 'node:module'
import { setTimeout as pause } from 'node:timers/promises'
import type { OwnDirectory } from './own-directory.ts'

/** Detects whether an item may have left something behind, in this process or outside it. */
export interface Leftovers {
  /** Resets the state for a new item. */
  begin(): void
  /** Waits briefly for what is about to end, then clears the directory. False if something may be left. */
  settle(): Promise<boolean>
}

/** Sockets and timers need some turns of the event loop to close. */
const WAITS_MS = [0, 0, 1, 5, 20, 50] as const

/**
 * A host is clean if nothing of the item keeps the event loop alive (timers, servers, requests, worker threads) and the item started no process or
 * thread and loaded no native code, whose effects cannot be seen from here.
 */
export const watchLeftovers = (directory: OwnDirectory): Leftovers => {
  const own = process.getActiveResourcesInfo().length
  let beyondSight = false
  const suspect = (): void => {
    beyondSight = true
  }
  subscribe('child_process', suspect)
  subscribe('worker_threads', suspect)
  suspectCalls(childProcess, ['spawnSync', 'execSync', 'execFileSync'], suspect)
  suspectCalls(process, ['dlopen'], suspect)
  syncBuiltinESMExports()

  // One more than at the start: the orders pipe, opened for reading since then.
  const isQuiet = (): boolean => process.getActiveResourcesInfo().length <= own + 1

  return {
    begin: () => {
      beyondSight = false
    },
    settle: async () => {
      if (beyondSight) return false
      for (let wait = 0; !isQuiet(); wait++) {
        if (wait === WAITS_MS.length) return false
        await pause(WAITS_MS[wait])
      }
      return directory.clear()
    },
  }
}

const suspectCalls = <Name extends string>(
  owner: Record<Name, unknown>,
  names: readonly Name[],
  suspect: () => void,
): void => {
  for (const name of names) {
    const original = owner[name] as (...values: unknown[]) => unknown
    owner[name] = function (this: unknown, ...values: unknown[]) {
      suspect()
      return original.apply(this, values)
    }
  }
}
