import { MillraceError } from '../kernel/errors.ts'
import type { Catalogue, CatalogueChange } from '../model/catalogue.ts'
import type { Data } from './data.ts'

/** A change as judged on one version of the catalogue. The judge throws `MillraceError` if it is not allowed. */
export type Judged<T> = {
  readonly changes: readonly CatalogueChange[]
  /** Tables that must not be locked for writing. */
  readonly unlessLocked: readonly string[]
  readonly result: T
}

/** More concurrent changes than can happen to one catalogue during one call. */
const MOST_TRIES = 20

/** Applies the change that `judge` derives from the current catalogue. Judges again if another change was faster. Throws `data_busy`. */
export const changeCatalogue = async <T>(
  { store, catalogue }: Pick<Data, 'store' | 'catalogue'>,
  workspace: string,
  judge: (catalogue: Catalogue) => Judged<T> | Promise<Judged<T>>,
): Promise<T> => {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const before = await catalogue(workspace)
    const { changes, unlessLocked, result } = await judge(before)
    const answer = await store.changeCatalogue({ workspace, version: before.version, changes, unlessLocked })
    if (answer.type === 'changed') return result
    if (answer.type === 'locked') throw busy(answer)
  }
  throw new MillraceError('unavailable', 'Too many others change data sources and pipes at the same time.', {
    retryAfter: 1,
  })
}

export const busy = ({ table, jobId }: { table: string; jobId: string | null }): MillraceError =>
  new MillraceError('data_busy', `${table} is being written by ${jobId === null ? 'another call' : `job ${jobId}`}.`, {
    retryAfter: 1,
  })
