import type { Logger } from '../kernel/logger.ts'
import type { Catalogue } from '../model/catalogue.ts'
import type { Store } from '../store/store.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import { createCatalogues } from './catalogues.ts'
import { createJobsLog, type JobsLog } from './history/jobs-log.ts'
import { createReadiness } from './readiness.ts'
import { createMatchedTables, type MatchedTables } from './tables/matched-tables.ts'
import type { TablesHome } from './tables-home.ts'

/** What all functions for data sources and pipes need. */
export type Data = {
  readonly store: Store
  readonly warehouse: Warehouse
  readonly logger: Logger
  /** `MILLRACE_RETENTION_QUARANTINE` in ms; Infinity: forever. */
  readonly quarantineKeptMs: number
  readonly jobsLog: JobsLog
  /** null: this is the only server, or all servers of the store share one engine. */
  readonly home: TablesHome | null
  /** Tables that writes need not compare with the catalogue again. */
  readonly matched: MatchedTables
  /** The current catalogue. */
  catalogue(workspace: string): Promise<Catalogue>
  /**
   * Await it before using a workspace's tables. It finishes or clears away what an earlier process of this server or of its engine left behind, and ensures
   * that every data source has its table with all columns. Runs once per life of both processes.
   */
  ready(workspace: string): Promise<void>
  /** Something was left half done: the next call of `ready` does its work again. */
  lookAgain(workspace: string): void
}

type Options = Pick<Data, 'store' | 'warehouse' | 'logger' | 'quarantineKeptMs'> & {
  /** `MILLRACE_RETENTION_JOBS_LOG` in ms; Infinity: forever. */
  readonly jobsLogKeptMs: number
  /** Default: null. */
  readonly home?: TablesHome | null
}

/** Does nothing yet. */
export const createData = ({ jobsLogKeptMs, home = null, ...options }: Options): Data => {
  const catalogues = createCatalogues(options.store)
  const jobsLog = createJobsLog({ ...options, keptMs: jobsLogKeptMs })
  const matched = createMatchedTables(options.warehouse)
  const parts = { ...options, home, jobsLog, matched, catalogue: catalogues.read }
  return { ...parts, ...createReadiness(parts) }
}
