import type { Logger } from '../kernel/logger.ts'
import type { Catalogue } from '../model/catalogue.ts'
import type { Store } from '../store/store.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import { createCatalogues } from './catalogues.ts'
import { createJobsLog, type JobsLog } from './history/jobs-log.ts'
import { createReadiness } from './readiness.ts'
import type { TablesHome } from './tables-home.ts'

/** What everything about data sources and pipes is made of. */
export type Data = {
  readonly store: Store
  readonly warehouse: Warehouse
  readonly logger: Logger
  /** `MILLRACE_RETENTION_QUARANTINE`, ms; Infinity: for ever. */
  readonly quarantineKeptMs: number
  readonly jobsLog: JobsLog
  /** null: all servers of this store share one engine, or there is only this one. */
  readonly home: TablesHome | null
  /** As it is now. */
  catalogue(workspace: string): Promise<Catalogue>
  /**
   * To be awaited before tables of a workspace are used: what a former life of this server, or of its engine, had begun is finished or cleared away,
   * and every data source has its table with all of its columns. Done once in a life of both.
   */
  ready(workspace: string): Promise<void>
  /** Something was left half done: `ready` does its work once more at the next call. */
  lookAgain(workspace: string): void
}

type Options = Pick<Data, 'store' | 'warehouse' | 'logger' | 'quarantineKeptMs'> & {
  /** `MILLRACE_RETENTION_JOBS_LOG`, ms; Infinity: for ever. */
  readonly jobsLogKeptMs: number
  /** null when absent. */
  readonly home?: TablesHome | null
}

/** Does nothing yet. */
export const createData = ({ jobsLogKeptMs, home = null, ...options }: Options): Data => {
  const catalogues = createCatalogues(options.store)
  const jobsLog = createJobsLog({ ...options, keptMs: jobsLogKeptMs })
  const parts = { ...options, home, jobsLog, catalogue: catalogues.read }
  return { ...parts, ...createReadiness(parts) }
}
