import type { Logger } from '../../kernel/logger.ts'
import type { Job } from '../../model/job.ts'
import type { Store } from '../../store/store.ts'
import { quoteIdentifier } from '../../warehouse/quote-identifier.ts'
import type { Warehouse } from '../../warehouse/warehouse.ts'
import { createJobsLogSql, JOBS_LOG_TABLE, toJobsLogRow } from './jobs-log-table.ts'

/**
 * The history of a workspace's jobs as a table, for queries that name `system.jobs_log`: a copy that follows the store, brought up
 * to date when it is asked for and before jobs are purged, so that it goes further back than they do.
 */
export interface JobsLog {
  /** Copies what has changed since the last time. Everything that had happened when it was called is in the table afterwards. Throws `WarehouseError`. */
  sync(workspace: string): Promise<void>
  /** The same for every workspace whose log was ever asked for. Never rejects: a copy that cannot be made does not keep jobs from being purged. */
  syncAll(): Promise<void>
}

type Options = {
  readonly store: Store
  readonly warehouse: Warehouse
  readonly logger: Logger
  /** `MILLRACE_RETENTION_JOBS_LOG`, ms; Infinity: for ever. */
  readonly keptMs: number
}

/** What was told may be followed by what is a little older (`DataStore.listChangedJobs`). */
const READ_AGAIN_MS = 10_000
const PAGE = 1000

/** Under which the store remembers that a workspace's log was asked for. */
const settingOf = (workspace: string): string => `jobs_log.${workspace}`

export const createJobsLog = ({ store, warehouse, logger, keptMs }: Options): JobsLog => {
  /** Syncs of one workspace follow each other: what they write is told apart by when. */
  const last = new Map<string, Promise<void>>()
  /** Up to which time the table has everything, by workspace. */
  const copiedUntil = new Map<string, number>()
  let version = 0

  const copy = async (workspace: string): Promise<void> => {
    const until = copiedUntil.get(workspace) ?? (await open(workspace))
    const now = await store.now()
    const changed = changedJobs(workspace, until === 0 ? null : Math.max(0, until - READ_AGAIN_MS))
    const first = await changed.next()
    if (first.done !== true) await insert(workspace, first.value, changed)
    copiedUntil.set(workspace, now)
  }

  /** Jobs that have changed since, oldest change first, page by page; null: all. */
  async function* changedJobs(workspace: string, since: number | null): AsyncGenerator<readonly Job[]> {
    let after = since === null ? null : { updatedAt: since, id: '' }
    for (;;) {
      const jobs = await store.listChangedJobs({ workspace, after, limit: PAGE })
      const newest = jobs.at(-1)
      if (newest === undefined) return
      yield jobs
      after = { updatedAt: newest.updatedAt, id: newest.id }
    }
  }

  /** Makes the table; what a former life of this server has copied is there. */
  const open = async (workspace: string): Promise<number> => {
    await warehouse.command({ workspace, sql: createJobsLogSql(keptMs) })
    await store.setSetting({ name: settingOf(workspace), value: 'used' })
    const [row] = await warehouse.rows<{ newest: string }>({
      workspace,
      sql: `SELECT toUnixTimestamp64Milli(max(updated_at)) AS newest FROM ${quoteIdentifier(JOBS_LOG_TABLE)}`,
    })
    return Number(row?.newest ?? 0)
  }

  /** In one statement, however many there are. */
  const insert = async (workspace: string, first: readonly Job[], others: AsyncIterable<readonly Job[]>) => {
    async function* content(): AsyncGenerator<Uint8Array> {
      yield toLines(first)
      for await (const jobs of others) yield toLines(jobs)
    }
    await warehouse.insert({
      workspace,
      sql: `INSERT INTO ${quoteIdentifier(JOBS_LOG_TABLE)} FORMAT JSONEachRow`,
      content: content(),
      settings: { date_time_input_format: 'best_effort' },
    })
  }

  /** Of a job that has changed again by a later page, that one counts. */
  const toLines = (jobs: readonly Job[]): Buffer => {
    version = Math.max(version + 1, Date.now())
    return Buffer.from(jobs.map(job => `${JSON.stringify({ ...toJobsLogRow(job), version })}\n`).join(''))
  }

  const sync = (workspace: string): Promise<void> => {
    // A call that came while another runs needs one that begins after it.
    const next = (last.get(workspace) ?? Promise.resolve()).catch(() => {}).then(() => copy(workspace))
    last.set(workspace, next)
    return next
  }

  return {
    sync,
    syncAll: async () => {
      for (const { id } of await store.listWorkspaces())
        try {
          if ((await store.getSetting({ name: settingOf(id) })) !== null) await sync(id)
        } catch (error) {
          logger.warn({ err: error, workspace: id }, 'the history of jobs could not be copied to the data engine')
        }
    },
  }
}
