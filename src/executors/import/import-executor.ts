import { rm } from 'node:fs/promises'
import type { Data } from '../../data/data.ts'
import type { Uploads } from '../../data/uploads.ts'
import type { AddressRules } from '../../kernel/address-rules.ts'
import type { Lookup } from '../../kernel/guarded-connect.ts'
import { createGuardedFetch, type GuardedFetch } from '../../kernel/guarded-fetch.ts'
import type { ClaimedJob } from '../../model/job.ts'
import type { Outcome } from '../../model/outcome.ts'
import { putSecrets } from '../../model/secrets.ts'
import { WarehouseError } from '../../warehouse/warehouse.ts'
import { warehouseHealth } from '../data-health.ts'
import type { ExecutionContext, Executor } from '../executor.ts'
import { failed } from '../run-write.ts'
import { toFailure } from '../to-failure.ts'
import { requireTarget } from './create/find-target.ts'
import { download } from './download.ts'
import { importContent } from './import-content.ts'
import { ImportFailure } from './import-failure.ts'
import { openSource } from './source/open-source.ts'
import type { ImportFields, ImportSpec } from './spec.ts'
import { createSpoolFolder, type SpoolFolder } from './spool/spool-folder.ts'

type Options = {
  readonly data: Data
  readonly dataDir: string
  readonly uploads: Uploads
  readonly addressRules: AddressRules
  /** Folders that `file:` may read. */
  readonly importDirs: readonly string[]
  /** Of content, as it comes and when it is decompressed. */
  readonly maxUploadBytes: number
  /** The longest silence of a source; a minute when absent. */
  readonly idleTimeoutMs?: number
  /** For tests; the system's resolver when absent. */
  readonly lookup?: Lookup
}

const IDLE_MS = 60_000

/** Reads content of files into data sources: first the whole of it into a file of this machine, then from there into the engine. */
export const createImportExecutor = (options: Options): Executor => {
  const { data, dataDir, addressRules, lookup } = options
  const fetch = createGuardedFetch({ rules: addressRules, ...(lookup && { lookup }) })
  const spoolFolder = createSpoolFolder({ dataDir, warehouse: data.warehouse })
  return {
    kind: 'import',
    lane: 'default',
    start: async () => spoolFolder.sweep((await data.store.listWorkspaces()).map(({ id }) => id)),
    health: () => warehouseHealth(data),
    run: (job, context) => runAttempt({ ...options, fetch, spoolFolder }, job, context),
  }
}

type Parts = Options & { readonly fetch: GuardedFetch; readonly spoolFolder: SpoolFolder }

const runAttempt = async (parts: Parts, job: ClaimedJob, context: ExecutionContext): Promise<Outcome> => {
  const { stop, clock } = context
  const startedAt = clock.monotonic()
  try {
    const outcome = await importOnce(parts, job, context)
    if (outcome.type !== 'completed') return outcome
    const elapsed = Math.round(clock.monotonic() - startedAt)
    return { ...outcome, statistics: { elapsed_ms: elapsed, ...outcome.statistics } }
  } catch (error) {
    if (stop.cause !== null) return { type: 'stopped' }
    if (error instanceof ImportFailure) return failed({ type: 'failed', reason: error.reason, message: error.message })
    if (error instanceof WarehouseError) return toFailure(error)
    throw error
  }
}

const importOnce = async (parts: Parts, job: ClaimedJob, context: ExecutionContext): Promise<Outcome> => {
  const { data, uploads, spoolFolder } = parts
  const { workspace } = job
  const fields = readFields(job, context)
  const spool = spoolFolder.place(job)
  try {
    // What is published already is only to be finished: its source may be gone.
    const isPublished = (await data.store.getPublication({ workspace, jobId: job.id })) !== null
    if (!isPublished && fields.create !== true) await requireTarget(data, workspace, fields.datasource)
    const bytesRead = isPublished ? 0 : await fetchContent(parts, { job, fields, context, path: spool.path })
    const outcome = await importContent({ data, job, context, fields, spool, bytesRead, isPublished })
    if (outcome.type === 'completed') await uploads.remove({ workspace, url: fields.url })
    return outcome
  } finally {
    await rm(spool.path, { force: true })
  }
}

const readFields = (job: ClaimedJob, { secrets }: ExecutionContext): ImportFields =>
  putSecrets(JSON.parse(job.spec) as ImportSpec, secrets).import

type Fetching = {
  readonly job: ClaimedJob
  readonly fields: ImportFields
  readonly context: ExecutionContext
  readonly path: string
}

const fetchContent = async (parts: Parts, { job, fields, context, path }: Fetching): Promise<number> => {
  const { signal } = context.stop
  const { maxUploadBytes: maxBytes, idleTimeoutMs = IDLE_MS } = parts
  const source = await openSource({ ...parts, fields, workspace: job.workspace, maxBytes, idleTimeoutMs, signal })
  const { compression } = fields
  const bytes = await download({
    source,
    path,
    compression,
    maxBytes,
    signal,
    progress: progress => context.progress(progress),
  })
  await context.log.note(`${source.shown}: ${bytes} bytes`)
  return bytes
}
