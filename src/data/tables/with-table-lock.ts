import type { Data } from '../data.ts'
import { whileLocked } from '../while-locked.ts'
import { tidyStaging } from '../write/tidy-staging.ts'
import { matchTables } from './match-tables.ts'

/** Longer than any statement of a call takes. */
const CALL_MS = 60_000

/** Locks tables for changes made by a call, when they are as the catalogue says. Does not wait: throws `data_busy`. */
export const withTableLock = <T>(
  data: Data,
  workspace: string,
  tables: readonly string[],
  work: () => Promise<T>,
  heldMs = CALL_MS,
): Promise<T> =>
  whileLocked(data.store, { workspace, tables, heldMs }, async () => {
    await tidyStaging(data, workspace, tables)
    await matchTables(data, workspace, tables)
    return work()
  })
