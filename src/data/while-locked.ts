import { newId } from '../kernel/ids.ts'
import type { DataStore } from '../store/data-store.ts'
import { busy } from './change-catalogue.ts'

type Lock = {
  readonly workspace: string
  readonly tables: readonly string[]
  /** The lock expires after this long if the process dies. */
  readonly heldMs: number
}

/** Runs changes of a call (not of an attempt) to tables while nobody else writes them. Does not wait: throws `data_busy`. */
export const whileLocked = async <T>(
  store: Pick<DataStore, 'lockTables' | 'unlockTables'>,
  { workspace, tables, heldMs }: Lock,
  work: () => Promise<T>,
): Promise<T> => {
  const holder = { callId: newId(), heldMs }
  const answer = await store.lockTables({ workspace, tables, holder })
  if (answer.type === 'busy') throw busy(answer)
  try {
    return await work()
  } finally {
    await store.unlockTables({ workspace, holder })
  }
}
