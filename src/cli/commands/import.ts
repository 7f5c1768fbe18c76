import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { DATA_FORMATS, type DataFormat, WRITE_MODES } from '../../model/data-source.ts'
import { dataSourcePath } from '../client/data-sources.ts'
import type { SubmitAnswer } from '../client/jobs.ts'
import { call } from '../client/request.ts'
import { findServer, type ServerAddress } from '../client/server-address.ts'
import type { CliContext } from '../context.ts'
import { addDataJobOptions, type DataJobOptions, followDataJob, runDataJob } from '../data-job.ts'
import type { Define } from '../define.ts'
import { EXIT } from '../exit-code.ts'
import { CliFailure } from '../failure.ts'
import { progressBar } from '../terminal/progress-bar.ts'

type ImportOptions = DataJobOptions & {
  readonly format?: DataFormat
  readonly mode?: string
  readonly replaceCondition?: string
  readonly create?: boolean
  readonly delimiter?: string
  readonly quote?: string
  readonly header?: boolean
  readonly compression?: string
  readonly typeGuessing?: boolean
  readonly maxBadRows?: string
}

/** `millrace import FILE DATASOURCE`: uploads a file, or names a URL, and stays until its rows are there. */
export const importRows: Define = (command, context, finish) => {
  addDataJobOptions(addImportOptions(command)).action(
    async (place: string, datasource: string, options: ImportOptions) => {
      const server = findServer(context)
      const fields = fieldsOf(place, options)
      if (isUrl(place)) {
        const body = { import: { datasource, url: place, ...fields } }
        return finish(await runDataJob({ server, context, body, options }))
      }
      const { job_id: jobId } = await upload({ server, place, datasource, fields, options, context })
      finish(await followDataJob({ server, context, options, jobId }))
    },
  )
}

const addImportOptions = (command: Command): Command =>
  command
    .argument(
      '<file or url>',
      'a file to upload, - for standard input; or http(s)://, s3://, file:// for the server to read',
    )
    .argument('<datasource>', 'name of the data source')
    .addOption(new Option('-f, --format <format>', 'by the extension when absent, else csv').choices(DATA_FORMATS))
    .addOption(new Option('-m, --mode <mode>', 'append by default').choices(WRITE_MODES))
    .option('--replace-condition <expression>', 'with --mode replace: only rows for which it holds are replaced')
    .option('-c, --create', 'make the data source when it is missing, of what the content looks like')
    .option('--delimiter <character>', 'of CSV; a comma by default')
    .option('--quote <character>', 'of CSV; " by default')
    .option('--header', 'the first line of CSV has names')
    .option('--no-header', 'the first line of CSV is a row')
    .option('--compression <name>', 'gzip, zstd or none; by the extension when absent')
    .option('--no-type-guessing', 'with --create: all columns are text')
    .option('--max-bad-rows <count or share>', 'more bad rows fail the import: 100, or 5%')

const isUrl = (place: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(place)

type Fields = Readonly<Record<string, string | number | boolean | undefined>>

/** As they stand in a job body. */
const fieldsOf = (place: string, options: ImportOptions): Fields => {
  const { format, mode, replaceCondition, create, delimiter, quote, header, compression, typeGuessing } = options
  return {
    format: format ?? formatOf(isUrl(place) && URL.canParse(place) ? new URL(place).pathname : place),
    mode,
    replace_condition: replaceCondition,
    create,
    delimiter: delimiter === '\\t' ? '\t' : delimiter,
    quote,
    header,
    compression: compression ?? (isUrl(place) ? undefined : compressionOf(place)),
    type_guessing: typeGuessing === false ? false : undefined,
    max_bad_rows: countOrShare(options.maxBadRows),
  }
}

const FORMATS: Readonly<Record<string, DataFormat>> = {
  csv: 'csv',
  tsv: 'csv',
  txt: 'csv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  json: 'ndjson',
  parquet: 'parquet',
}

const COMPRESSION = /\.(gz|zst)$/i

const formatOf = (file: string): DataFormat | undefined =>
  FORMATS[/\.(\w+)$/.exec(file.replace(COMPRESSION, ''))?.[1]?.toLowerCase() ?? '']

/** The name of what is uploaded stays here: the server sees only its bytes. */
const compressionOf = (file: string): string | undefined => {
  const extension = COMPRESSION.exec(file)?.[1]?.toLowerCase()
  return extension === undefined ? undefined : extension === 'gz' ? 'gzip' : 'zstd'
}

const countOrShare = (text: string | undefined): number | string | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : text

type Upload = {
  readonly server: ServerAddress
  readonly place: string
  readonly datasource: string
  readonly fields: Fields
  readonly options: ImportOptions
  readonly context: CliContext
}

const upload = async ({ server, place, datasource, fields, options, context }: Upload): Promise<SubmitAnswer> => {
  const { name, timeout } = options
  const query = Object.entries({ ...fields, name, timeout_seconds: timeout }).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)] as const],
  )
  return call<SubmitAnswer>(server, {
    method: 'POST',
    path: dataSourcePath(datasource, '/import'),
    query: Object.fromEntries(query),
    headers: { 'content-type': 'application/octet-stream' },
    body: await openContent(place, context),
  })
}

const openContent = async (
  place: string,
  { stdin, stderr, directory }: CliContext,
): Promise<AsyncIterable<Uint8Array>> => {
  if (place === '-') return stdin.pipe(progressBar(stderr, 'uploading', null))
  const path = resolve(directory, place)
  const found = await stat(path).catch((error: Error) => {
    throw new CliFailure(`${place}: ${error.message}`, { exitCode: EXIT.usage })
  })
  if (!found.isFile()) throw new CliFailure(`${place} is not a file`, { exitCode: EXIT.usage })
  return readWithBar(path, progressBar(stderr, basename(place), found.size))
}

/** Errors of reading reach who sends: a pipe alone would swallow them. */
async function* readWithBar(path: string, bar: ReturnType<typeof progressBar>): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: 256 * 1024 })
  file.on('error', error => bar.destroy(error))
  yield* file.pipe(bar)
}
