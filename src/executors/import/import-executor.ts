import { rm } from 'node:fs/promises'
import type { Data } from '../../data/data.ts'
import { rememberFormat } from '../../data/tables/remember-format.ts'
import type { Uploads } from '../../data/uploads.ts'
import type { AddressRules } from '../../kernel/address-rules.ts'
import type { Lookup } from '../../kernel/guarded-connect.ts'
import { createGuardedFetch, type GuardedFetch } from '../../kernel/guarded-fetch.ts'
import type { ClaimedJob, Progress } from '../../model/job.ts'
import { failed, type Outcome } from '../../model/outcome.ts'
import { putSecrets } from '../../model/secrets.ts'
import { createDataExecutor } from '../data-executor.ts'
import type { ExecutionContext, Executor } from '../executor.ts'
import { requireTarget } from './create/find-target.ts'
import { type Download, startDownload } from './download.ts'
import { finishImport, importContent } from './import-content.ts'
import { ImportFailure } from './import-failure.ts'
import { openSource } from './source/open-source.ts'
import { formatOf, type ImportFields, type ImportSpec } from './spec.ts'
import { createSpoolFolder, type SpoolFolder, type SpoolPlace } from './spool/spool-folder.ts'

type Options = {
  readonly data: Data
  readonly dataDir: string
  readonly uploads: Uploads
  readonly addressRules: AddressRules
  /** Folders that `file:` may read. */
  readonly importDirs: readonly string[]
  /** Limit for the content, both as received and decompressed. */
  readonly maxUploadBytes: number
  /** How long a source may send nothing. Default: one minute. */
  readonly idleTimeoutMs?: number
  /** For tests. Default: the system's resolver. */
  readonly lookup?: Lookup
}

const IDLE_MS = 60_000

/** Imports files into data sources: downloads them into a local file, from which the engine loads them. */
export const createImportExecutor = (options: Options): Executor => {
  const { data, dataDir, addressRules, lookup } = options
  const fetch = createGuardedFetch({ rules: addressRules, ...(lookup && { lookup }) })
  const spoolFolder = createSpoolFolder({ dataDir, warehouse: data.warehouse })
  return createDataExecutor({
    kind: 'import',
    data,
    start: async () => spoolFolder.sweep((await data.store.listWorkspaces()).map(({ id }) => id)),
    run: (job, context) => runAttempt({ ...options, fetch, spoolFolder }, job, context),
  })
}

type Parts = Options & { readonly fetch: GuardedFetch; readonly spoolFolder: SpoolFolder }

const runAttempt = async (parts: Parts, job: ClaimedJob, context: ExecutionContext): Promise<Outcome> => {
  const { stop, clock } = context
  const startedAt = clock.monotonic()
  try {
    const outcome = await importOnce(parts, job, context)
    if (outcome.type !== 'completed') return outcome
    await noteFormat(parts, job, context)
    const elapsed = Math.round(clock.monotonic() - startedAt)
    return { ...outcome, statistics: { ...outcome.statistics, elapsed_ms: elapsed } }
  } catch (error) {
    if (stop.cause !== null || !(error instanceof ImportFailure)) throw error
    return failed(error.reason, error.message)
  }
}

/** An error here must not fail the job: its rows are already there. */
const noteFormat = async ({ data }: Parts, job: ClaimedJob, context: ExecutionContext): Promise<void> => {
  const fields = readFields(job, context)
  try {
    await rememberFormat(data, { workspace: job.workspace, name: fields.datasource, format: formatOf(fields) })
  } catch (error) {
    context.logger.warn({ err: error, job_id: job.id }, 'the format of an import could not be noted')
  }
}

const importOnce = async (parts: Parts, job: ClaimedJob, context: ExecutionContext): Promise<Outcome> => {
  const { data, uploads, spoolFolder } = parts
  const { workspace } = job
  const fields = readFields(job, context)
  const content = { data, job, context, fields }
  // What is already published only needs to be finished. Its source may be gone.
  if ((await data.store.getPublication({ workspace, jobId: job.id })) !== null) return finishImport(content)
  if (fields.create !== true) await requireTarget(data, workspace, fields.datasource)
  const place = spoolFolder.place(job)
  const leaving = new AbortController()
  const signal = AbortSignal.any([context.stop.signal, leaving.signal])
  let download: Download | null = null
  try {
    download = await fetchContent(parts, { job, fields, context, place, signal })
    const outcome = await importContent({ ...content, place, download })
    if (outcome.type === 'completed') await removeUpload(uploads, { job, fields, context })
    return outcome
  } finally {
    leaving.abort()
    await download?.spooling.whole().catch(ignore)
    await rm(place.path, { force: true })
  }
}

type Finished = { readonly job: ClaimedJob; readonly fields: ImportFields; readonly context: ExecutionContext }

/** An unavailable blob store must not fail the job: its rows are already there. */
const removeUpload = async (uploads: Uploads, { job, fields, context }: Finished): Promise<void> => {
  try {
    await uploads.remove({ workspace: job.workspace, url: fields.url })
  } catch (error) {
    // Garbage collection will remove it.
    context.logger.warn({ err: error, job_id: job.id }, 'the upload of an import could not be removed')
  }
}

/** The download was abandoned: its error does not matter. */
const ignore = (): void => {}

const readFields = (job: ClaimedJob, { secrets }: ExecutionContext): ImportFields =>
  putSecrets(JSON.parse(job.spec) as ImportSpec, secrets).import

type Fetching = {
  readonly job: ClaimedJob
  readonly fields: ImportFields
  readonly context: ExecutionContext
  readonly place: Omit<SpoolPlace, 'spooling'>
  readonly signal: AbortSignal
}

/**
 * Resolves when there is enough to recognize the content, and the rest will arrive soon enough to load it meanwhile. Waits for all of Parquet, and for all if
 * the engine is remote: a server aborts an insert whose rows arrive slowly (`http_receive_timeout`).
 */
const fetchContent = async (parts: Parts, { job, fields, context, place, signal }: Fetching): Promise<Download> => {
  const { maxUploadBytes: maxBytes, idleTimeoutMs = IDLE_MS } = parts
  const source = await openSource({ ...parts, fields, workspace: job.workspace, maxBytes, idleTimeoutMs, signal })
  const progress = (told: Progress): void => context.progress(told)
  const { path, isLocal } = place
  const download = startDownload({ source, path, fields, maxBytes, signal, progress })
  const { spooling } = download
  await spooling.beyond(HEAD_BYTES)
  if (!isLocal || formatOf(fields) === 'parquet') await spooling.whole()
  while (!comesSoon(download)) await spooling.beyond(spooling.written + HEAD_BYTES)
  return download
}

/** More than the sample, and enough to measure the rate. */
const HEAD_BYTES = 2 * 1024 * 1024

const comesSoon = (download: Download): boolean => {
  const left = download.secondsLeft()
  return left !== null && left <= MOST_SECONDS
}

/** Other writers of the data source wait while the rest arrives. */
const MOST_SECONDS = 20
