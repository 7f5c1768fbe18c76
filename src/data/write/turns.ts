import type { DataStore } from '../../store/data-store.ts'

type Input = {
  readonly store: Pick<DataStore, 'lockTables' | 'unlockTables'>
  readonly workspace: string
  /** Of the attempt that waits. */
  readonly id: string
  readonly tables: readonly string[]
}

/** How long a turn lasts after it was last asked for: longer than the pause between two requests. */
const HELD_MS = 5_000
const PATIENCE_MS = 10_000

/** No table is called so. */
const TURN = 'c__turn '

/**
 * A write that needs several tables would wait for ever while others write one of them each and never all stop at once. So one that has waited for
 * long has a turn now and then, in which nobody else may begin with one of its tables. Each turn is twice as long as the one before, and so is the
 * time to the next: tables are not kept idle all the while that one of them is written for hours.
 */
export const createTurns = ({ store, workspace, id, tables }: Input) => {
  const names = tables.map(name => TURN + name)
  const holder = { callId: `turn ${id}`, heldMs: HELD_MS }
  let hasAsked = false
  return {
    /** Names that others must not have locked when it takes its tables, after it has waited for so long: none when it has its turn. */
    async unless(waitedMs: number): Promise<readonly string[]> {
      if (!isTurn(waitedMs)) return names
      hasAsked = true
      const answer = await store.lockTables({ workspace, tables: names, holder })
      return answer.type === 'locked' ? [] : names
    },
    async end(): Promise<void> {
      // It is over by itself, too.
      if (hasAsked) await store.unlockTables({ workspace, holder }).catch(() => {})
    },
  }
}

/** From 10 to 20 s, from 40 to 80 s, from 160 to 320 s, … */
export const isTurn = (waitedMs: number): boolean =>
  waitedMs >= PATIENCE_MS && Math.floor(Math.log2(waitedMs / PATIENCE_MS)) % 2 === 0

/** What a busy name says of who keeps the table. */
export const tableOfTurn = (name: string): string | null => (name.startsWith(TURN) ? name.slice(TURN.length) : null)
