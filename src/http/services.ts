import type { BlobStore } from '../blobs/blob-store.ts'
import type { Data } from '../data/data.ts'
import type { Uploads } from '../data/uploads.ts'
import type { Engine } from '../engine/engine.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Config } from '../kernel/settings.ts'
import type { JobLogs } from '../logs/job-logs.ts'
import type { Store } from '../store/store.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import type { Metrics } from './figures/metrics.ts'

/** The parts that the HTTP API uses; its creator starts and stops them. */
export type Services = {
  readonly config: Config
  readonly clock: Clock
  readonly logger: Logger
  readonly store: Store
  readonly blobs: BlobStore
  readonly logs: JobLogs
  readonly engine: Engine
  readonly warehouse: Warehouse
  readonly data: Data
  readonly uploads: Uploads
  /** The program's version, as in package.json. */
  readonly version: string
  /** Aborted when the server starts to stop: from then on only running jobs may change anything. */
  readonly stopping?: AbortSignal
  /** The process's metrics; `createApp` creates its own by default. */
  readonly metrics?: Metrics
}
