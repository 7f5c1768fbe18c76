import type { Logger } from '../../kernel/logger.ts'
import type { Job } from '../../model/job.ts'
import type { Store } from '../../store/store.ts'
import { quoteIdentifier } from '../../warehouse/quote-identifier.ts'
import type { Warehouse } from '../../warehouse/warehouse.ts'
import { createJobsLogSql, JOBS_LOG_TABLE, toJobsLogRow } from './jobs-log-table.ts'

/**
 * The history of a workspace's jobs as a table, for queries that name `system.jobs_log`. It is a copy of the store's jobs, updated when it is queried and
 * before jobs are purged, so that it goes back further than the store.
 */
export interface JobsLog {
  /** Copies all changes since the last sync. Afterwards the table has everything that happened before the call. Throws `WarehouseError`. */
  sync(workspace: string): Promise<void>
  /** The same for every workspace whose log has ever been queried. Never rejects: a failed copy does not keep jobs from being purged. */
  syncAll(): Promise<void>
}

type Options = {
  readonly store: Store
  readonly warehouse: Warehouse
  readonly logger: Logger
  /** `MILLRACE_RETENTION_JOBS_LOG` in ms; Infinity: forever. */
  readonly keptMs: number
}

/** A change may become visible after slightly newer ones (`DataStore.listChangedJobs`), so each sync reads this much again. */
const READ_AGAIN_MS = 10_000
const PAGE = 1000

/** The setting in which the store remembers that a workspace's log has been queried. */
const settingOf = (workspace: string): string => `jobs_log.${workspace}`

export const createJobsLog = ({ store, warehouse, logger, keptMs }: Options): JobsLog => {
  /** The syncs of a workspace run one after another, so that later rows have higher versions. */
  const last = new Map<string, Promise<void>>()
  /** Per workspace, the time up to which the table is complete. */
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

  /** Jobs changed since then, oldest change first, page by page; null: all jobs. */
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

  /** Creates the table. Returns the time of the newest change in it, which an earlier process may have copied. */
  const open = async (workspace: string): Promise<number> => {
    await warehouse.command({ workspace, sql: createJobsLogSql(keptMs) })
    await store.setSetting({ name: settingOf(workspace), value: 'used' })
    const [row] = await warehouse.rows<{ newest: string }>({
      workspace,
      sql: `SELECT toUnixTimestamp64Milli(max(updated_at)) AS newest FROM ${quoteIdentifier(JOBS_LOG_TABLE)}`,
    })
    return Number(row?.newest ?? 0)
  }

  /** In one statement, however many jobs there are. */
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

  /** If a job changes again before a later page, the row of that page wins. */
  const toLines = (jobs: readonly Job[]): Buffer => {
    version = Math.max(version + 1, Date.now())
    return Buffer.from(jobs.map(job => `${JSON.stringify({ ...toJobsLogRow(job), version })}\n`).join(''))
  }

  const sync = (workspace: string): Promise<void> => {
    // A call during a sync needs another one that starts after it.
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
