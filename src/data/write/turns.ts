import type { DataStore } from '../../store/data-store.ts'

type Input = {
  readonly store: Pick<DataStore, 'lockTables' | 'unlockTables'>
  readonly workspace: string
  /** The waiting attempt. */
  readonly id: string
  readonly tables: readonly string[]
}

/** How long a turn lasts after it was last requested: longer than the pause between two requests. */
const HELD_MS = 5_000
const PATIENCE_MS = 10_000

/** No table name begins like this. */
const TURN = 'c__turn '

/**
 * Prevents starvation: a write that needs several tables would wait forever while others keep writing one of them each. So a write that has waited long gets
 * turns, in which nobody else may start on any of its tables. Each turn is twice as long as the one before, and so is the time to the next, so that tables are
 * not idle all the time while one of them is being written for hours.
 */
export const createTurns = ({ store, workspace, id, tables }: Input) => {
  const names = tables.map(name => TURN + name)
  const holder = { callId: `turn ${id}`, heldMs: HELD_MS }
  let hasAsked = false
  return {
    /** Names that others must not have locked when it takes its tables, after it has waited this long; none during its turn. */
    async unless(waitedMs: number): Promise<readonly string[]> {
      if (!isTurn(waitedMs)) return names
      hasAsked = true
      const answer = await store.lockTables({ workspace, tables: names, holder })
      return answer.type === 'locked' ? [] : names
    },
    async end(): Promise<void> {
      // A turn also expires by itself.
      if (hasAsked) await store.unlockTables({ workspace, holder }).catch(() => {})
    },
  }
}

/** Turns last from 10 to 20 s, from 40 to 80 s, from 160 to 320 s, … */
export const isTurn = (waitedMs: number): boolean =>
  waitedMs >= PATIENCE_MS && Math.floor(Math.log2(waitedMs / PATIENCE_MS)) % 2 === 0

/** The table that a busy name reserves for another's turn; null: the name is a table itself. */
export const tableOfTurn = (name: string): string | null => (name.startsWith(TURN) ? name.slice(TURN.length) : null)
