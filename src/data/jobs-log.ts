import type { Logger } from '../kernel/logger.ts'
import type { Job } from '../model/job.ts'
import type { Store } from '../store/store.ts'
import { quoteIdentifier } from '../warehouse/quote-identifier.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
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
    let after: { updatedAt: number; id: string } | null =
      until === 0 ? null : { updatedAt: Math.max(0, until - READ_AGAIN_MS), id: '' }
    for (;;) {
      const jobs = await store.listChangedJobs({ workspace, after, limit: PAGE })
      const newest = jobs.at(-1)
      if (newest === undefined) break
      await insert(workspace, jobs)
      after = { updatedAt: newest.updatedAt, id: newest.id }
    }
    copiedUntil.set(workspace, now)
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

  const insert = async (workspace: string, jobs: readonly Job[]): Promise<void> => {
    version = Math.max(version + 1, Date.now())
    const lines = jobs.map(job => `${JSON.stringify({ ...toJobsLogRow(job), version })}\n`)
    await warehouse.insert({
      workspace,
      sql: `INSERT INTO ${quoteIdentifier(JOBS_LOG_TABLE)} FORMAT JSONEachRow`,
      content: oneChunk(lines.join('')),
      settings: { date_time_input_format: 'best_effort' },
    })
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

async function* oneChunk(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}
