import type { Chdb, ChdbSession } from './chdb.ts'

/**
 * A fresh session for every statement: what one leaves behind (settings, a temporary table, output of a failed statement)
 * never meets another. A few are opened ahead, since opening takes 2 ms on the one thread that serves.
 */
export interface Sessions {
  take(): ChdbSession
  /** Opens what is missing, as soon as nothing else is to do. */
  refill(): void
}

const SPARE = 4

export const createSessions = ({ chdb, path }: { chdb: Chdb; path: string }): Sessions => {
  const spare: ChdbSession[] = []
  let refilling = false

  const open = (): ChdbSession => new chdb.Session(path)

  const refill = (): void => {
    if (refilling || spare.length >= SPARE) return
    refilling = true
    setImmediate(() => {
      refilling = false
      spare.push(open())
      refill()
    })
  }

  return {
    take: () => {
      const session = spare.shift() ?? open()
      refill()
      return session
    },
    refill,
  }
}
