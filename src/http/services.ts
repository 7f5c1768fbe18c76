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

/** What the HTTP API is made of; all of it is started and stopped by who made it. */
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
  /** Of the program, as in package.json. */
  readonly version: string
  /** Aborts when the server begins to stop: from then on only running jobs change anything. */
  readonly stopping?: AbortSignal
  /** Where the process counts; `createApp` makes its own when there is none. */
  readonly metrics?: Metrics
}
