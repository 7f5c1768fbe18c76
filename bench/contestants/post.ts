import { join } from 'node:path'
import { openFileBlobStore } from '../../src/blobs/file/file-blob-store.ts'
import { createData } from '../../src/data/data.ts'
import { createUploads } from '../../src/data/uploads.ts'
import { createEngine } from '../../src/engine/create-engine.ts'
import { createApp } from '../../src/http/app.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { loadConfig } from '../../src/kernel/config.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { createJobLogs } from '../../src/logs/create-job-logs.ts'
import { openSecretBox } from '../../src/store/secrets.ts'
import type { Store } from '../../src/store/store.ts'
import { openWarehouse } from '../../src/warehouse/open-warehouse.ts'
import { type BenchServerOptions, NOOP_DEFINITION, startBenchServer } from './bench-server.ts'

/**
 * Two addresses of one process: the API as it is, and the very same routes (token, checks of the body, answer) over a
 * store that says yes without storing.
 */
export const open = async (options: BenchServerOptions) => {
  const server = await startBenchServer(options, { definitions: [NOOP_DEFINITION] })
  const empty = await startEmpty(options, server.store)
  return {
    addresses: () => Promise.resolve({ durable: `${server.url}/v1/jobs`, empty: `${empty.url}/v1/jobs` }),
    async close() {
      await empty.close()
      await server.stop()
    },
  }
}

const startEmpty = async ({ dataDir, settings }: BenchServerOptions, real: Store) => {
  const flags = { 'data-dir': dataDir, ...settings }
  const { config } = loadConfig({ flags, environment: {}, directory: dataDir })
  const shared = { config, clock: systemClock, logger: silentLogger, store: withoutStoring(real) }
  const blobs = await openFileBlobStore({ directory: join(dataDir, 'blobs') })
  const logs = createJobLogs({ ...shared, blobs, dataDir, maxBytes: config.logMaxBytes, shareTails: false })
  const secrets = openSecretBox({ dataDir, secretKey: config.secretKey })
  const engine = createEngine({
    ...shared,
    blobs,
    logs,
    secrets,
    executors: [],
    definitions: [NOOP_DEFINITION],
    url: () => config.publicUrl,
    formerWorkers: [],
  })
  const warehouse = openWarehouse({ ...shared, dataDir })
  const data = createData({
    ...shared,
    warehouse,
    quarantineKeptMs: shared.config.retentionQuarantineMs,
    jobsLogKeptMs: Number.POSITIVE_INFINITY,
  })
  const uploads = createUploads({ blobs, key: secrets.deriveKey('uploads') })
  const app = await createApp({ ...shared, blobs, logs, engine, warehouse, data, uploads, version: '0.0.0' })
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }), close: () => app.close() }
}

/** Tokens are looked up as ever; jobs go nowhere. */
const withoutStoring = (store: Store): Store => ({
  ...store,
  submitJobs: ({ jobs }) => {
    const createdAt = Date.now()
    return Promise.resolve({ type: 'submitted', jobs: jobs.map(({ id }) => ({ id, status: 'queued', createdAt })) })
  },
})
