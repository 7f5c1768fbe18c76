import { remember } from './remember.ts'
import type { DescribedColumn } from './warehouse.ts'

/** The columns that SELECTs have, as long as no table was changed. */
export interface KnownColumns {
  /** As they were described before, or are now. Throws what `describe` throws. */
  of(select: string, describe: () => Promise<readonly DescribedColumn[]>): Promise<readonly DescribedColumn[]>
  /** To be called before and after whatever may change a table. */
  forget(): void
}

/** For an engine whose tables only this process changes. */
export const createKnownColumns = (): KnownColumns => {
  let known = new Map<string, readonly DescribedColumn[]>()
  return {
    of: async (select, describe) => {
      // What was begun before a change is put where nobody looks any more.
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
