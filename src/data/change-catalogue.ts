import { MillraceError } from '../kernel/errors.ts'
import type { Catalogue, CatalogueChange } from '../model/catalogue.ts'
import type { Data } from './data.ts'

/** What a change is to be, judged on a catalogue: throws `MillraceError` when it may not be. */
export type Judged<T> = {
  readonly changes: readonly CatalogueChange[]
  /** Tables that nobody may be writing meanwhile. */
  readonly unlessLocked: readonly string[]
  readonly result: T
}

/** More others than that do not change one catalogue in the time of one call. */
const MOST_TRIES = 20

/** Changes the catalogue by what `judge` says of it as it is; judged anew when somebody else was faster. Throws `data_busy`. */
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
