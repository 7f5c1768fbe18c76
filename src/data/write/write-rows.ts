import type { Clock } from '../../kernel/clock.ts'
import type { FailureReason } from '../../kernel/errors.ts'
import type { Logger } from '../../kernel/logger.ts'
import { unlessAborted } from '../../kernel/unless-aborted.ts'
import type { Catalogue } from '../../model/catalogue.ts'
import { type Feed, findDataSource, writtenWith } from '../../model/catalogue-graph.ts'
import type { DataSource, WriteMode } from '../../model/data-source.ts'
import type { ClaimedJob } from '../../model/job.ts'
import { leaseOf } from '../../model/lease.ts'
import type { Statistics } from '../../model/outcome.ts'
import type { NewPublication } from '../../store/data-store.ts'
import { isAway, WarehouseError } from '../../warehouse/warehouse.ts'
import type { Data } from '../data.ts'
import type { Statements } from '../statements.ts'
import { matchTables } from '../tables/match-tables.ts'
import { finishPublication, type Published, takeBack } from './finish-publication.ts'
import { type LendSlot, lockTables, sleep } from './lock-tables.ts'
import { runFeed } from './run-feeds.ts'
import { joinLive, letMerge, stage, toPublish } from './stage-tables.ts'
import { dropStaging, stagingName } from './staging-database.ts'
import { tidyStaging } from './tidy-staging.ts'

/**
 * Writes rows into a data source, all or nothing. They are loaded into a staging database, dependent materialized nodes process them, and then staged and live
 * tables are exchanged. Until the publication is committed to the store, nothing live has changed; from then on it will happen, whatever process dies
 * (`docs/architecture.md`, Data).
 */
export type Write = {
  readonly job: ClaimedJob
  /** Name or id of the data source. */
  readonly target: string
  readonly mode: WriteMode
  /** Whether dependent data sources are updated, too. */
  readonly feeds: boolean
  /** Whether `load` counts the target's rows as written. */
  readonly countsRows: boolean
  /** Whether rows that do not fit may be quarantined. */
  readonly quarantine: boolean
  readonly signal: AbortSignal
  /** Whether even a committed publication must stop: the worker has lost the job, or is shutting down. */
  readonly mustLeave: () => boolean
  /** Called with what keeps it from going on; null: nothing any more. */
  readonly onWait: (text: string | null) => void
  readonly lendSlot: LendSlot
  /** Called when the remaining work is short and needs no slot. */
  readonly releaseSlot: () => void
  readonly clock: Pick<Clock, 'monotonic'>
  readonly logger: Logger
  /** Fills the staged tables. */
  readonly load: (staged: Staged) => Promise<Loaded | WriteFailure>
}

/** What `load` works on. */
export type Staged = {
  readonly workspace: string
  readonly mode: WriteMode
  readonly catalogue: Catalogue
  readonly target: DataSource
  /** The names of all data sources that the write changes: the target and its dependents. */
  readonly written: ReadonlySet<string>
  /** The feeds to run after the target is loaded, in this order. */
  readonly feeds: readonly Feed[]
  /** In statements with this database, unqualified names are staged tables. Everything else that nodes read is available by its name, too. */
  readonly database: string
  readonly liveDatabase: string
  readonly statements: Statements
  /** Staged tables that the engine must not merge yet. */
  readonly unmerged: ReadonlySet<string>
}

export type Loaded = {
  readonly type: 'loaded'
  /** JSON, stored with the publication for whoever completes the job. */
  readonly outcome: Statistics
}

export type WriteFailure = { readonly type: 'failed'; readonly reason: FailureReason; readonly message: string }

export type Written =
  | { readonly type: 'written'; readonly outcome: Statistics }
  | { readonly type: 'stopped' }
  | WriteFailure

/** Throws `WarehouseError`, the signal's reason, and what `load` throws; nothing live has changed then. */
export const writeRows = async (data: Data, write: Write): Promise<Written> => {
  const { workspace, id: jobId } = write.job
  // A stop need not wait for an engine that is starting or does not answer.
  await unlessAborted(write.signal, data.ready(workspace))
  const begun = await data.store.getPublication({ workspace, jobId })
  if (begun !== null) {
    if (data.home?.isLost(begun) !== true) return finish(data, write, begun)
    const forgotten = await data.store.revokePublication({ workspace, lease: leaseOf(write.job) })
    if (forgotten === 'lost') return { type: 'stopped' }
  }
  const locked = await lockAll(data, write)
  if (locked.type !== 'locked') return locked
  try {
    await tidyStaging(data, workspace, locked.tables)
    await data.matched.ensure(workspace, locked.catalogue.version, locked.tables, () =>
      matchTables(data, workspace, locked.tables),
    )
    const publication = await prepare(data, { ...write, target: locked.target }, locked.catalogue)
    if ('type' in publication) return publication
    const answer = await commit(data, write, publication)
    if (answer !== 'committed') return { type: 'stopped' }
    return await publish(data, write, publication)
  } catch (error) {
    if (write.signal.aborted && error instanceof WarehouseError) return { type: 'stopped' }
    throw error
  } finally {
    const { job } = write
    await clearAway(data, write, stagingName(data.warehouse.database(workspace), { jobId, attempt: job.attempt }))
  }
}

const commit = async ({ store, home }: Data, { job }: Write, publication: NewPublication) => {
  const { workspace } = job
  const ifSetting = home?.claim() ?? null
  const answer = await store.commitPublication({
    workspace,
    lease: leaseOf(job),
    publication,
    ...(ifSetting && { ifSetting }),
  })
  // If the tables are on another server now, this throws and names it.
  if (answer === 'lost') await home?.enter()
  return answer
}

/** Finishes what an earlier attempt committed. If others have locked the tables since, they have already finished it; that does no harm. */
const finish = async (data: Data, write: Write, publication: NewPublication): Promise<Written> => {
  const tables = publication.tables.map(({ name }) => name)
  if ((await lockTables({ ...write, store: data.store, tables })) === 'stopped') return { type: 'stopped' }
  try {
    return await publish(data, write, publication)
  } finally {
    await clearAway(data, write, publication.stagingDatabase)
  }
}

/** Locks the tables that the catalogue names. If the catalogue changed before they were locked, starts over. */
const lockAll = async (
  { store, catalogue }: Data,
  write: Write,
): Promise<
  | { type: 'locked'; catalogue: Catalogue; target: string; tables: readonly string[] }
  | WriteFailure
  | { type: 'stopped' }
> => {
  const { job, target, feeds } = write
  let before = await catalogue(job.workspace)
  for (;;) {
    const found = findDataSource(before, target)
    if (found === undefined) return noDataSource(target)
    const tables = [...(feeds ? writtenWith(before, found.name) : [found.name])].sort()
    if ((await lockTables({ ...write, store, tables })) === 'stopped') return { type: 'stopped' }
    const now = await catalogue(job.workspace)
    if (now.version === before.version) return { type: 'locked', catalogue: now, target: found.name, tables }
    await store.unlockTables({ workspace: job.workspace, holder: { lease: leaseOf(job) } })
    before = now
  }
}

export const noDataSource = (name: string): WriteFailure => {
  const [, source] = /^(.+)_quarantine$/.exec(name) ?? []
  return {
    type: 'failed',
    reason: 'data_source_not_found',
    message:
      source === undefined
        ? `There is no data source ${name}.`
        : `${name} is a quarantine: only imports of ${source} write to it. DELETE /v1/datasources/${source}/quarantine removes rows.`,
  }
}

/** Everything up to the exchange of tables. */
const prepare = async (data: Data, write: Write, catalogue: Catalogue): Promise<NewPublication | WriteFailure> => {
  const staged = await stage(data, write, catalogue)
  const loaded = await write.load(staged)
  if (loaded.type === 'failed') return loaded
  for (const feed of staged.feeds) await runFeed(data, staged, feed)
  if (write.mode === 'append') for (const name of staged.written) await joinLive(staged, name)
  await letMerge(staged)
  const tables = await toPublish(data, write, staged)
  return { stagingDatabase: staged.database, tables, outcome: JSON.stringify(loaded.outcome) }
}

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** How long the cause of an engine's refusal may take to be fixed. */
const PATIENCE_MS = 10 * 60_000

/**
 * Waits for an unreachable engine as long as the job is ours. If the engine refuses, retries for a while, or until the job is cancelled; then takes back what
 * was committed, if all of it can be.
 */
const publish = async (data: Data, write: Write, publication: NewPublication): Promise<Written> => {
  const { job, clock, signal, logger } = write
  const whole = { ...publication, workspace: job.workspace, jobId: job.id }
  let refusedAt: number | null = null
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      await finishPublication(data, whole)
      if (pause > FIRST_PAUSE_MS) write.onWait(null)
      return { type: 'written', outcome: JSON.parse(publication.outcome) as Statistics }
    } catch (error) {
      // The next attempt continues wherever the tables are by then.
      if (write.mustLeave() || (await data.home?.isElsewhere())) return { type: 'stopped' }
      logger.warn({ err: error, job_id: job.id }, 'a publication could not be finished; it is tried again')
      if (error instanceof WarehouseError && !isAway(error)) refusedAt ??= clock.monotonic()
      const isOver = refusedAt !== null && (signal.aborted || clock.monotonic() - refusedAt > PATIENCE_MS)
      if (isOver && (await tryToTakeBack(data, write, whole)))
        return signal.aborted ? { type: 'stopped' } : notPublished(error as Error)
      write.onWait(`The rows are ready, but cannot be put in place: ${(error as Error).message} It is tried again.`)
      write.releaseSlot()
      await sleep(pause, signal.aborted ? NEVER : signal)
    }
  }
}

const NEVER = new AbortController().signal

const tryToTakeBack = async (data: Data, { job, logger }: Write, publication: Published): Promise<boolean> => {
  try {
    return await takeBack(data, publication, leaseOf(job))
  } catch (error) {
    logger.warn({ err: error, job_id: job.id }, 'a publication could not be taken back')
    return false
  }
}

const notPublished = ({ message }: Error): WriteFailure => ({ type: 'failed', reason: 'publication_failed', message })

/** What cannot be cleared away now is cleared by whoever reads or writes next in the workspace. */
const clearAway = async (
  { store, warehouse, lookAgain }: Data,
  { job, logger }: Write,
  staging: string,
): Promise<void> => {
  const { workspace } = job
  try {
    const isCommitted = (await store.getPublication({ workspace, jobId: job.id })) !== null
    if (!isCommitted) await dropStaging(warehouse, workspace, staging)
  } catch (error) {
    logger.warn({ err: error, job_id: job.id }, 'a staging database could not be dropped')
    lookAgain(workspace)
  }
  await store.unlockTables({ workspace, holder: { lease: leaseOf(job) } })
}
