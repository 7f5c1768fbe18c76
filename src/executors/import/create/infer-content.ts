import { rm } from 'node:fs/promises'
import type { Data } from '../../../data/data.ts'
import { columnFaults } from '../../../data/tables/check-data-source.ts'
import type { Uploads } from '../../../data/uploads.ts'
import type { AddressRules } from '../../../kernel/address-rules.ts'
import type { Lookup } from '../../../kernel/guarded-connect.ts'
import { createGuardedFetch } from '../../../kernel/guarded-fetch.ts'
import { newId } from '../../../kernel/ids.ts'
import type { Column, DataFormat } from '../../../model/data-source.ts'
import { findDialect } from '../csv/find-dialect.ts'
import { ImportFailure } from '../import-failure.ts'
import { checkFooter } from '../parquet/check-footer.ts'
import { firstRows } from '../parquet/first-rows.ts'
import { mendFooter } from '../parquet/mend-footer.ts'
import { type FileColumn, parquetColumns } from '../parquet/parquet-columns.ts'
import { openSource } from '../source/open-source.ts'
import { leaveContent } from '../source/source.ts'
import { formatOf, type ImportFields } from '../spec.ts'
import { decompressed } from '../spool/decompress.ts'
import { createReturnMender, hasLoneReturns } from '../spool/mend-line-ends.ts'
import { readSample, refuseOther, SAMPLE_BYTES, type Sample, type SampledFields } from '../spool/read-sample.ts'
import { spoolContent, withoutMark } from '../spool/spool-content.ts'
import { createSpoolFolder, type SpoolPlace } from '../spool/spool-folder.ts'
import { textContent } from '../spool/text-content.ts'
import { inferColumns } from './infer-columns.ts'
import { readCsv } from './infer-csv.ts'
import { type SampleRow, sampleRows } from './sample-rows.ts'
import { untilAbort } from './until-abort.ts'

/** The data source that would be created from content, and the content's first rows. */
export type Inferred = {
  readonly format: DataFormat
  readonly columns: readonly Column[]
  /** CSV: whether the first line is a header. null for other formats. */
  readonly header: boolean | null
  /** CSV: the delimiter. null for other formats. */
  readonly delimiter: string | null
  /** None for Parquet if the engine is on another machine. */
  readonly rows: readonly SampleRow[]
  /** Decompressed. */
  readonly bytesRead: number
  /** All of the content was examined. */
  readonly isWhole: boolean
}

export type Inference = (input: {
  readonly workspace: string
  readonly fields: Omit<ImportFields, 'datasource'>
  /** What was sent. Absent: read the URL. */
  readonly content?: AsyncIterable<Uint8Array>
  readonly signal: AbortSignal
}) => Promise<Inferred>

type Opened = Parameters<Inference>[0] & { readonly content: AsyncIterable<Uint8Array> }

type Options = {
  readonly data: Pick<Data, 'warehouse'>
  readonly dataDir: string
  readonly uploads: Uploads
  readonly addressRules: AddressRules
  /** Folders that `file:` may read. */
  readonly importDirs: readonly string[]
  /** For tests. Default: the system's resolver. */
  readonly lookup?: Lookup
}

/** For Parquet, whose columns are listed at its end. Other formats need only the beginning. */
export const MOST_BYTES = 256 * 1024 * 1024
const SAMPLED_ROWS = 10
const IDLE_MS = 30_000

/** Reports what an import with `create` would create, without creating it. Throws `ImportFailure`, `WarehouseError`, or the reason of the signal. */
export const createInference = (options: Options): Inference => {
  const { data, dataDir, addressRules, lookup } = options
  const { warehouse } = data
  const fetch = createGuardedFetch({ rules: addressRules, ...(lookup && { lookup }) })
  const spoolFolder = createSpoolFolder({ dataDir, warehouse })

  const open = async ({ workspace, fields, signal }: Parameters<Inference>[0]) => {
    const limits = { maxBytes: MOST_BYTES, idleTimeoutMs: IDLE_MS }
    return (await openSource({ ...options, ...limits, workspace, fields, fetch, signal })).content
  }

  const inferParquet = async ({ workspace, fields, content, signal }: Opened): Promise<Inferred> => {
    const { path, isLocal } = spoolFolder.place({ id: newId(), attempt: 0, workspace })
    const spool: SpoolPlace = { path, isLocal, spooling: null }
    try {
      await spoolContent(path, content)
      await checkFooter(path)
      await mendFooter(path)
      const sample = await readSample(path, fields)
      let found: readonly FileColumn[] = []
      const parquet = async () => {
        found = await parquetColumns({ warehouse, workspace, spool, signal })
        return found
      }
      const columns = await inferColumns({ sample, fields, parquet })
      const rows = isLocal
        ? await firstRows<SampleRow>({ warehouse, workspace, path, columns: found, most: SAMPLED_ROWS, signal })
        : []
      return { format: 'parquet', columns, header: null, delimiter: null, rows, bytesRead: sample.size, isWhole: true }
    } finally {
      await rm(path, { force: true })
    }
  }

  const inferText = async (input: Opened, format: 'csv' | 'ndjson'): Promise<Inferred> => {
    const sample = await takeSample(textContent(input.content, input.fields), input.fields)
    const delimiter = format === 'csv' ? findDialect(input.fields, sample.bytes).delimiter : null
    const fields = { ...input.fields, ...(delimiter !== null && { delimiter }) }
    const columns = await inferColumns({ sample, fields, parquet: async () => [] })
    return {
      format,
      columns,
      header: format === 'csv' ? readCsv(sample, fields).header : null,
      delimiter,
      rows: sampleRows({ sample, format, fields, columns, most: SAMPLED_ROWS }),
      bytesRead: sample.bytes.length,
      isWhole: sample.isWhole,
    }
  }

  const infer = async (given: Opened): Promise<Inferred> => {
    const { compression } = given.fields
    const limits = { compression, maxBytes: MOST_BYTES, tooLarge: TOO_LARGE }
    const input = { ...given, content: decompressed(untilAbort(given.content, given.signal), limits) }
    const format = formatOf(given.fields)
    const inferred = format === 'parquet' ? await inferParquet(input) : await inferText(input, format)
    const [fault] = columnFaults(inferred.columns)
    if (fault !== undefined)
      throw new ImportFailure(
        'schema_mismatch',
        `No data source can be created from it: ${fault.path} ${fault.message}.`,
      )
    return inferred
  }

  return async input => {
    const { content } = input
    if (content !== undefined) return infer({ ...input, content })
    const opened = await open(input)
    try {
      return await infer({ ...input, content: opened })
    } finally {
      leaveContent(opened)
    }
  }
}

const TOO_LARGE = `The content has more than ${MOST_BYTES} bytes: import it as a job with create, or infer from a smaller file like it.`

/** The first MiB, as an import sees it. */
const takeSample = async (content: AsyncIterable<Uint8Array>, fields: SampledFields): Promise<Sample> => {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of content) {
    // A part is valid until the next is requested.
    parts.push(Buffer.from(part))
    size += part.length
    if (size > SAMPLE_BYTES) break
  }
  const bytes = withoutMark(Buffer.concat(parts).subarray(0, SAMPLE_BYTES))
  refuseOther(bytes, fields)
  if (formatOf(fields) === 'csv') {
    const dialect = findDialect(fields, bytes)
    if (hasLoneReturns(bytes, dialect)) createReturnMender(dialect)(bytes)
  }
  return { bytes, isWhole: size <= SAMPLE_BYTES, size }
}
