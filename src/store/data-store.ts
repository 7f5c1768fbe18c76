import type { Catalogue, CatalogueChange } from '../model/catalogue.ts'
import type { Job, Lease } from '../model/job.ts'

/** What the store remembers of the warehouse: which tables there should be, who writes them now, and what is about to be published. */
export interface DataStore {
  /** null: it is still of `knownVersion`. */
  readCatalogue(input: { workspace: string; knownVersion?: number }): Promise<Catalogue | null>
  /**
   * Makes all changes or none, as if one after the other, and raises the version by one. `stale`: the catalogue is not of
   * `version` any more; judge anew. `locked`: somebody writes one of the tables `unlessLocked`, the first of them by name.
   * Throws when two entries would have one name.
   */
  changeCatalogue(input: {
    workspace: string
    version: number
    changes: readonly CatalogueChange[]
    unlessLocked: readonly string[]
  }): Promise<
    | { readonly type: 'changed'; readonly version: number }
    | { readonly type: 'stale' }
    | { readonly type: 'locked'; readonly table: string; readonly jobId: string | null }
  >

  /**
   * Takes all tables or none. A job has its locks as long as the attempt of its lease is live: when that ends or is rescued,
   * they are free, whatever happened to its worker. A call has them for `heldMs` at most. Tables are locked by name; names
   * need not exist. Who has some may take more; a call that takes some again has those for `heldMs` from then on.
   * `lost`: the attempt is not live any more. Between two attempts of a job that has published its tables are free.
   * `unless`: names that nobody else may have locked meanwhile, which it does not take itself.
   */
  lockTables(input: {
    workspace: string
    tables: readonly string[]
    unless?: readonly string[]
    holder: TableHolder
  }): Promise<{ readonly type: 'locked' } | TableBusy | { readonly type: 'lost' }>
  /** Of this holder all, in this workspace. */
  unlockTables(input: { workspace: string; holder: TableHolder }): Promise<void>

  /**
   * The point of no return of a job that writes: from here on its rows will be published, and it can end only as completed.
   * Whatever else is said of its end (cancelled, failed, lost) puts it back into the queue without using up a try, to be
   * taken up by its next attempt; in the queue no cancel and no pause or end of its run moves it. Refused (`lost`) when the
   * attempt is not live any more, and (`cancelling`) when its job is to stop. The first publication of a job stands: for
   * another one the answer is `committed`, and nothing changes. Throws for a job without an exclusive key: what ends those
   * does not ask whether they have published. Refused (`lost`), too, when `ifSetting` has another value by now: whoever
   * changes it afterwards finds the publication.
   */
  commitPublication(input: {
    workspace: string
    lease: Lease
    publication: NewPublication
    ifSetting?: { readonly name: string; readonly value: string }
  }): Promise<'committed' | 'lost' | 'cancelling'>
  /**
   * Forgets the publication of this job, which may end in any way again. For who has made sure that nothing of it is live and that nobody
   * finishes it meanwhile. `lost`: the attempt is not live any more, and the publication stands.
   */
  revokePublication(input: { workspace: string; lease: Lease }): Promise<'revoked' | 'lost'>
  /** Of this job, whichever attempt committed it. */
  getPublication(input: { workspace: string; jobId: string }): Promise<Publication | null>
  /** Oldest first. */
  listPublications(input: { workspace: string }): Promise<readonly Publication[]>
  /** Forgets those whose jobs have ended, oldest first. */
  purgePublications(input: { limit: number }): Promise<number>

  /**
   * Jobs by their last change, for copies of the history that are kept elsewhere: those changed at `after.updatedAt` or
   * later, in order of (`updatedAt`, `id`), beyond `after`; all when that is null, all of one instant when its id is empty.
   * At most `limit`, fewer where their bodies are large: nothing more is there when the answer is empty.
   *
   * What was told may be followed by less: more may end in the same millisecond, PostgreSQL commits in another order than
   * clocks were read, and a clock may be set back. So read the last seconds again. Costs a walk over the live jobs of the
   * workspace and over all jobs, of any workspace, that have ended since `after`: where nothing happens, let `after` follow
   * the clock.
   */
  listChangedJobs(input: {
    workspace: string
    after: { readonly updatedAt: number; readonly id: string } | null
    limit: number
  }): Promise<readonly Job[]>
}

/** Who writes tables: an attempt of a job, or a call that is soon over. */
export type TableHolder = { readonly lease: Lease } | { readonly callId: string; readonly heldMs: number }

export type TableBusy = {
  readonly type: 'busy'
  readonly table: string
  /** null: a call. */
  readonly jobId: string | null
}

/** Finished tables in a staging database, to change places with live ones of the same name. */
export type NewPublication = {
  readonly stagingDatabase: string
  readonly tables: readonly PublishedTable[]
  /** How the job's attempt ends when they have: JSON text, for the executor. */
  readonly outcome: string
}

export type PublishedTable = {
  /** Of the live table and, but for that, of the staged one. */
  readonly name: string
  /** Of the staged table: where the live table has it, they have changed places. */
  readonly uuid: string
}

export type Publication = NewPublication & {
  readonly jobId: string
  readonly workspace: string
  readonly createdAt: number
  /** The job has ended, so it has completed. */
  readonly jobEnded: boolean
}
