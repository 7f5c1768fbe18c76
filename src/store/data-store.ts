import type { Catalogue, CatalogueChange } from '../model/catalogue.ts'
import type { Job, Lease } from '../model/job.ts'

/** What the store knows about the warehouse: which tables should exist, who is writing them, and what is about to be published. */
export interface DataStore {
  /** null: the catalogue is still at `knownVersion`. */
  readCatalogue(input: { workspace: string; knownVersion?: number }): Promise<Catalogue | null>
  /**
   * Makes all changes or none, as if applied in order, and increments the version. `stale`: the catalogue is no longer at `version`; read it again
   * and decide anew. `locked`: a table in `unlessLocked` is being written; names the first by name. Throws if two entries would have the same name.
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
   * Locks all tables or none. A job holds its locks while the attempt of its lease is live; they are free once that ends or is rescued, whatever
   * happened to its worker. A call holds its locks for at most `heldMs`. Tables are locked by name; they need not exist. A holder may lock more
   * tables; a call that locks a table again holds it for another `heldMs`.
   * `lost`: the attempt is no longer live. Between two attempts of a job that has published, its tables are unlocked.
   * `unless`: names that nobody else may hold at that moment; they are not locked.
   */
  lockTables(input: {
    workspace: string
    tables: readonly string[]
    unless?: readonly string[]
    holder: TableHolder
  }): Promise<{ readonly type: 'locked' } | TableBusy | { readonly type: 'lost' }>
  /** Releases all locks of this holder in this workspace. */
  unlockTables(input: { workspace: string; holder: TableHolder }): Promise<void>

  /**
   * The point of no return for a job that writes: its rows will be published, and it can only end as completed. Any other end (cancelled, failed,
   * lost) puts it back into the queue without using up a try, for its next attempt to finish. While it is queued, no cancel and no pause or end of
   * its run moves it.
   * A job's first publication stands: a second one returns `committed` and changes nothing. Refused with `lost` if the attempt is no longer live, and
   * with `cancelling` if its job is being cancelled. Also refused with `lost` if the value of `ifSetting` has changed; a change after the commit sees
   * the publication.
   * Throws for a job without an exclusive key: the statements that end such jobs do not check for a publication.
   */
  commitPublication(input: {
    workspace: string
    lease: Lease
    publication: NewPublication
    ifSetting?: { readonly name: string; readonly value: string }
  }): Promise<'committed' | 'lost' | 'cancelling'>
  /**
   * Forgets the job's publication, so that the job may end in any way again. Call it only after making sure that none of its tables are live and that
   * nobody can finish the publication meanwhile. `lost`: the attempt is no longer live, and the publication stands.
   */
  revokePublication(input: { workspace: string; lease: Lease }): Promise<'revoked' | 'lost'>
  /** The job's publication, whichever attempt committed it. */
  getPublication(input: { workspace: string; jobId: string }): Promise<Publication | null>
  /** Oldest first. */
  listPublications(input: { workspace: string }): Promise<readonly Publication[]>
  /** Forgets publications whose jobs have ended, oldest first. */
  purgePublications(input: { limit: number }): Promise<number>

  /**
   * Jobs by their last change, for copies of the history kept elsewhere. Returns jobs changed at `after.updatedAt` or later that come after `after`
   * in order of (`updatedAt`, `id`). `after: null` means all; an empty id means all of that instant. At most `limit`, fewer if their bodies are
   * large; only an empty result means there are no more.
   *
   * Changes may later appear before the last one returned: more jobs may change in the same millisecond, PostgreSQL commits in a different order than
   * clocks were read, and a clock may be set back. So re-read the last few seconds. The cost is a scan of the workspace's live jobs and of all jobs,
   * of any workspace, that ended since `after`: advance `after` with the clock even if nothing happens.
   */
  listChangedJobs(input: {
    workspace: string
    after: { readonly updatedAt: number; readonly id: string } | null
    limit: number
  }): Promise<readonly Job[]>
}

/** Who writes tables: an attempt of a job, or a short call. */
export type TableHolder = { readonly lease: Lease } | { readonly callId: string; readonly heldMs: number }

export type TableBusy = {
  readonly type: 'busy'
  readonly table: string
  /** null: held by a call. */
  readonly jobId: string | null
}

/** Finished tables in a staging database, to be exchanged with the live ones of the same name. */
export type NewPublication = {
  readonly stagingDatabase: string
  readonly tables: readonly PublishedTable[]
  /** The attempt's outcome once the tables are exchanged: JSON text, for the executor. */
  readonly outcome: string
}

export type PublishedTable = {
  /** Name of both the live and the staged table. */
  readonly name: string
  /** UUID of the staged table: if the live table has it, they have been exchanged. */
  readonly uuid: string
}

export type Publication = NewPublication & {
  readonly jobId: string
  readonly workspace: string
  readonly createdAt: number
  /** The job has ended, and therefore completed. */
  readonly jobEnded: boolean
}
