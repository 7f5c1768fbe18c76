import type { Catalogue, CatalogueChange } from '../model/catalogue.ts'
import type { Job, Lease } from '../model/job.ts'

/** What the store remembers of the warehouse: which tables there should be, who writes them now, and what is about to be published. */
export interface DataStore {
  /** null: it is still of `knownVersion`. */
  readCatalogue(input: { workspace: string; knownVersion?: number }): Promise<Catalogue | null>
  /**
   * Makes all changes or none, and raises the version by one. `stale`: the catalogue is not of `version` any more; judge anew.
   * `locked`: somebody writes one of the tables `unlessLocked`.
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
   * Takes all tables or none. A job has its locks as long as the attempt of its lease is live: when that ends, is rescued or lost, they are
   * free, whatever happened to its worker. A call has them for `heldMs` at most. Tables are locked by name; names need not exist.
   */
  lockTables(input: {
    workspace: string
    tables: readonly string[]
    holder: TableHolder
  }): Promise<{ readonly type: 'locked' } | TableBusy | { readonly type: 'lost' }>
  /** Of this holder all. */
  unlockTables(input: { workspace: string; holder: TableHolder }): Promise<void>

  /**
   * The point of no return of a job that writes: from here on its rows will be published, and it can end only as completed. Whatever else is said of its end
   * (cancelled, failed, lost) puts it back into the queue without using up a try, to be taken up by its next attempt. Refused (`lost`) when
   * the attempt is not live any more, and (`cancelling`) when its job is to stop.
   */
  commitPublication(input: {
    workspace: string
    lease: Lease
    publication: NewPublication
  }): Promise<'committed' | 'lost' | 'cancelling'>
  /** Of this job, whichever attempt committed it. */
  getPublication(input: { workspace: string; jobId: string }): Promise<Publication | null>
  /** Oldest first. */
  listPublications(input: { workspace: string }): Promise<readonly Publication[]>
  /** Workspaces that have any: their tables may be half exchanged. */
  listPublishing(): Promise<readonly string[]>
  /** Forgets those whose jobs have ended, oldest first. */
  purgePublications(input: { limit: number }): Promise<number>

  /**
   * Jobs by their last change, for copies of the history that are kept elsewhere: those changed at `after.updatedAt` or later, in order of (`updatedAt`, `id`), beyond
   * `after`. For jobs that have ended the order is complete: none appears later before one that was told (ended by a clock that only goes forward).
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
