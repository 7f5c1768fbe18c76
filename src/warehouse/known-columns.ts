import { remember } from './remember.ts'
import type { DescribedColumn } from './warehouse.ts'

/** A cache of the columns of SELECTs, valid until a table changes. */
export interface KnownColumns {
  /** The cached columns, or else those that `describe` returns. Throws what `describe` throws. */
  of(select: string, describe: () => Promise<readonly DescribedColumn[]>): Promise<readonly DescribedColumn[]>
  /** Call it before and after any statement that may change a table. */
  forget(): void
}

/** For an engine whose tables are changed only by this process. */
export const createKnownColumns = (): KnownColumns => {
  let known = new Map<string, readonly DescribedColumn[]>()
  return {
    of: async (select, describe) => {
      // A description that started before a change is stored in the old map, which nobody reads.
      const current = known
      const before = current.get(select)
      if (before !== undefined) return before
      const columns = await describe()
      remember(current, select, columns)
      return columns
    },
    forget: () => {
      known = new Map()
    },
  }
}
