import { join } from 'node:path'
import { openFileBlobStore } from '../../src/blobs/file/file-blob-store.ts'
import { createDeliverLoop } from '../../src/engine/deliver.ts'
import { parseAddressRules } from '../../src/kernel/address-rules.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { openSecretBox } from '../../src/store/secrets.ts'

/** A process that delivers the outbox of a PostgreSQL until it is killed. */
const [url, dataDir] = process.argv.slice(2) as [string, string]
const loop = createDeliverLoop({
  store: await openPostgresStore({ url, processName: 'killed' }),
  blobs: await openFileBlobStore({ directory: join(dataDir, 'blobs') }),
  secrets: openSecretBox({ dataDir, secretKey: null }),
  clock: systemClock,
  logger: silentLogger,
  addressRules: parseAddressRules('127.0.0.0/8'),
  publicUrl: 'https://runs.test',
  pollMs: 20,
})
loop.start()
