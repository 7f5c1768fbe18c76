import { join } from 'node:path'
import { openFileBlobStore } from '../../src/blobs/file/file-blob-store.ts'
import { createData } from '../../src/data/data.ts'
import { createUploads } from '../../src/data/uploads.ts'
import { createApp, type Patience } from '../../src/http/app.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { loadConfig } from '../../src/kernel/config.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { createJobLogs } from '../../src/logs/create-job-logs.ts'
import { openWarehouse } from '../../src/warehouse/open-warehouse.ts'
import type { TestServer } from '../server.ts'

/** A second API over the parts of the server, with little patience. */
export const startImpatient = async ({ dataDir, store, engine }: TestServer, patience: Patience) => {
  const { config } = loadConfig({
    flags: { 'data-dir': dataDir, 'allow-private-addresses': '127.0.0.1' },
    environment: {},
    directory: dataDir,
  })
  const blobs = await openFileBlobStore({ directory: join(dataDir, 'blobs') })
  const shared = { config, clock: systemClock, logger: silentLogger, store, blobs }
  const logs = createJobLogs({ ...shared, dataDir, maxBytes: config.logMaxBytes, shareTails: false })
  const warehouse = openWarehouse({ ...shared, dataDir })
  const data = createData({
    ...shared,
    warehouse,
    quarantineKeptMs: shared.config.retentionQuarantineMs,
    jobsLogKeptMs: Number.POSITIVE_INFINITY,
  })
  const uploads = createUploads({ blobs, key: Buffer.alloc(32) })
  const app = await createApp({ ...shared, engine, logs, warehouse, data, uploads, version: '0.0.0' }, patience)
  return { app, port: Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port) }
}
