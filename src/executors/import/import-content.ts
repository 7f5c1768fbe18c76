import { rm } from 'node:fs/promises'
import type { Data } from '../../data/data.ts'
import { dropEmptyDataSource } from '../../data/tables/data-sources.ts'
import { sleep } from '../../data/write/lock-tables.ts'
import type { Loaded, Staged } from '../../data/write/write-rows.ts'
import { MillraceError } from '../../kernel/errors.ts'
import { findDataSource, orderCounts } from '../../model/catalogue-graph.ts'
import { csvReadingText } from '../../model/csv-reading.ts'
import { type DataSource, mergesRows, quarantineOf } from '../../model/data-source.ts'
import type { ClaimedJob } from '../../model/job.ts'
import type { Outcome } from '../../model/outcome.ts'
import type { ExecutionContext } from '../executor.ts'
import { runWrite } from '../run-write.ts'
import { checkBadRows, checkReplacement, shownLine } from './bad-rows.ts'
import { findOrCreate, type Target } from './create/find-target.ts'
import { inferColumns } from './create/infer-columns.ts'
import { findDialect } from './csv/find-dialect.ts'
import { loadCsv } from './csv/load-csv.ts'
import { readContent } from './csv/read-content.ts'
import type { Download } from './download.ts'
import { withEngineTypes } from './load/engine-types.ts'
import type { ContentLoad, LoadCounts } from './load/load-content.ts'
import { guessRows, withLoadProgress } from './load-progress.ts'
import { checkKeys } from './ndjson/check-keys.ts'
import { loadNdjson } from './ndjson/load-ndjson.ts'
import { checkFooter } from './parquet/check-footer.ts'
import { loadParquet } from './parquet/load-parquet.ts'
import { mendFooter } from './parquet/mend-footer.ts'
import { parquetColumns } from './parquet/parquet-columns.ts'
import { keepOthers } from './replace-condition.ts'
import { formatOf, type ImportFields } from './spec.ts'
import { hasLoneReturns, mendLineEnds } from './spool/mend-line-ends.ts'
import { readSample, type Sample } from './spool/read-sample.ts'
import type { SpoolPlace } from './spool/spool-folder.ts'

export type ContentImport = {
  readonly data: Data
  readonly job: ClaimedJob
  readonly context: ExecutionContext
  readonly fields: ImportFields
  readonly place: Omit<SpoolPlace, 'spooling'>
  /** May still be in progress. */
  readonly download: Download
}

/** Finishes what an earlier attempt published. Loads nothing. */
export const finishImport = ({ data, job, context, fields }: Omit<ContentImport, 'place' | 'download'>) =>
  write({ data, job, context, fields }, () => Promise.reject(new Error('a publication is gone before its job')))

/** Loads content in the spool, complete or still arriving, into its data source, all or nothing. Throws `ImportFailure`. */
export const importContent = async (given: ContentImport): Promise<Outcome> => {
  const { data, job } = given
  const existing = findDataSource(await data.catalogue(job.workspace), given.fields.datasource) ?? null
  const sample = await mendedSample(given, existing)
  const input = { ...given, fields: withDelimiter(given.fields, sample, existing) }
  for (;;) {
    const outcome = await importInto(input, sample)
    const isDropped = outcome.type === 'failed' && outcome.reason === 'data_source_not_found'
    // The data source that was found has been dropped.
    if (!(isDropped && input.fields.create === true)) return outcome
  }
}

const importInto = async (input: ContentImport, sample: Sample): Promise<Outcome> => {
  const { data, job } = input
  const target = await prepareTarget(input, sample)
  let outcome: Outcome | null = null
  try {
    outcome = await write(input, staged => fill(input, staged, sample))
    return outcome
  } finally {
    if (target?.isNew === true && outcome?.type !== 'completed')
      await dropEmptyDataSource(data, job.workspace, target.dataSource.id).catch(ignore)
  }
}

/** An empty data source that remains does no harm, and may be in use by now. */
const ignore = (): void => {}

const mendedSample = async ({ download, fields }: ContentImport, target: DataSource | null): Promise<Sample> => {
  const { path } = download.spooling
  if (formatOf(fields) === 'parquet') {
    await checkFooter(path)
    await mendFooter(path)
  }
  const isWhole = download.spooling.isWhole
  const sample = await readSample(path, fields)
  const dialect = formatOf(fields) === 'csv' ? findDialect(fields, sample.bytes, target) : null
  if (dialect === null || !hasLoneReturns(sample.bytes, dialect))
    return { ...sample, isWhole: sample.isWhole && isWhole }
  await download.spooling.whole()
  await mendLineEnds(path, dialect)
  return readSample(path, fields)
}

/** Determines the delimiter once, so that a data source created from the content meanwhile has no influence. */
const withDelimiter = (fields: ImportFields, { bytes }: Sample, target: DataSource | null): ImportFields =>
  formatOf(fields) === 'csv' ? { ...fields, delimiter: findDialect(fields, bytes, target).delimiter } : fields

/** Waits while a data source of that name is being dropped. */
const prepareTarget = async (input: ContentImport, sample: Sample): Promise<Target | null> => {
  const { data, job, context, fields } = input
  const spool = spoolOf(input)
  if (fields.create !== true) return null
  const { workspace } = job
  const { signal } = context.stop
  const columns = () => parquetColumns({ warehouse: data.warehouse, workspace, spool, signal })
  const infer = () => inferColumns({ sample, fields, parquet: columns })
  for (;;) {
    try {
      const target = await findOrCreate({ data, workspace, name: fields.datasource, infer })
      context.waits(null)
      return target
    } catch (error) {
      if (signal.aborted || !(error instanceof MillraceError && error.code === 'data_busy')) throw error
      context.waits(`waits: ${error.message}`)
      await context.lendSlot(() => sleep(PAUSE_MS, signal))
    }
  }
}

const PAUSE_MS = 250

const spoolOf = ({ place, download }: ContentImport): SpoolPlace => ({ ...place, spooling: download.spooling })

type Writing = Omit<ContentImport, 'place' | 'download'>

const write = ({ data, job, context, fields }: Writing, load: (staged: Staged) => Promise<Loaded>): Promise<Outcome> =>
  runWrite({
    data,
    job,
    context,
    target: fields.datasource,
    mode: fields.mode ?? 'append',
    feeds: true,
    countsRows: true,
    quarantine: true,
    load,
  })

/** Fills the staged table. */
const fill = async (input: ContentImport, staged: Staged, sample: Sample): Promise<Loaded> => {
  const { data, job, context, fields, download } = input
  download.stopTelling()
  // Parquet has no lines.
  const likelyRows = () => (formatOf(fields) === 'parquet' ? null : guessRows(sample, download))
  const counts = await withLoadProgress({ statements: staged.statements, context, likelyRows }, () =>
    load(input, staged, sample),
  )
  for (const line of counts.samples) await context.log.note(shownLine(line))
  await checkBadRows(staged, counts, fields.max_bad_rows)
  if (fields.mode === 'replace') await checkReplacement(staged, counts, fields.max_bad_rows)
  if (fields.replace_condition !== undefined)
    await keepOthers({ data, workspace: job.workspace, staged, condition: fields.replace_condition })
  // Not needed any more. Not awaited, because removing a large file takes a while.
  rm(download.spooling.path, { force: true }).catch(ignore)
  return {
    type: 'loaded',
    outcome: {
      rows_written: counts.written,
      quarantine_rows: counts.quarantined,
      invalid_lines: counts.invalid,
      rows_read: counts.read,
      bytes_read: download.received(),
      ...counts.reading,
    },
  }
}

const NOTHING: LoadCounts = { read: 0, written: 0, quarantined: 0, invalid: 0, samples: [] }

const load = async (input: ContentImport, staged: Staged, sample: Sample): Promise<LoadCounts> => {
  const { data, job, context, fields, download } = input
  const spool = spoolOf(input)
  const { statements, database } = staged
  const { signal } = context.stop
  if (sample.size === 0) return NOTHING
  const target = await withEngineTypes(staged)
  const keepsOrder = mergesRows(target) || orderCounts(staged.catalogue, target.name)
  const content: ContentLoad = {
    place: { statements, database, table: target.name, spool, keepsOrder },
    quarantine: quarantineOf(target.name),
    importId: job.id,
    signal,
    whole: () => download.spooling.whole(),
    isUtf8: () => download.spooling.isUtf8(),
  }
  switch (formatOf(fields)) {
    case 'csv': {
      const csv = readContent(sample, fields, target)
      const reading = { delimiter: csv.dialect.delimiter, header: csv.header }
      await context.log.note(`read as ${csvReadingText(reading)}`)
      return {
        ...(await loadCsv({ ...content, content: csv, sample, target, linesBefore: fields.skip_lines ?? 0 })),
        reading,
      }
    }
    case 'ndjson':
      checkKeys(sample, target)
      return loadNdjson({ ...content, target })
    case 'parquet': {
      const columns = await parquetColumns({ warehouse: data.warehouse, workspace: job.workspace, spool, signal })
      return loadParquet({ ...content, target, columns })
    }
  }
}
