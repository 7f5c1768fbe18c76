import { extname, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { RESULT_FORMATS, type ResultFormat } from '../../model/job.ts'
import { type Incoming, saveTo, saveToFile } from '../client/download.ts'
import type { JobAnswer } from '../client/job-answer.ts'
import { jobPath } from '../client/jobs.ts'
import { firstRows } from '../client/rows.ts'
import { findServer, type ServerAddress } from '../client/server-address.ts'
import type { CliContext } from '../context.ts'
import type { Define } from '../define.ts'
import { EXIT } from '../exit-code.ts'
import { CliFailure } from '../failure.ts'
import { jobFailure } from '../job-failure.ts'
import { readText } from '../local-file.ts'
import { keyValue, positiveSeconds, repeated } from '../option-value.ts'
import { readJsonOrText } from '../read-json.ts'
import { refuseBinary } from '../refuse-binary.ts'
import { submitWatched } from '../submit-watched.ts'
import { countText } from '../terminal/count-text.ts'
import { notes } from '../terminal/note.ts'
import { sizeText } from '../terminal/quantity-text.ts'
import { formatColumns } from '../terminal/rows-table.ts'
import { watchProgress } from '../watch-progress.ts'

type QueryOptions = {
  readonly format?: ResultFormat
  readonly json?: boolean
  readonly output?: string
  readonly param?: readonly (readonly [string, string])[]
  readonly name?: string
  readonly timeout?: number
}

/** More rows than anyone reads in a terminal; `--format` and `-o` give the whole result. */
const MOST_SHOWN = 1000

/** `millrace query SQL`: runs a query as a job; prints its rows as a table or in a format, or writes a file. */
export const query: Define = (command, context, finish) => {
  addOptions(command).action(async (sql: string, options: QueryOptions) => {
    const format = chooseFormat(options, context)
    const server = findServer(context)
    const json = await jobBody({ sql, options, format, context })
    const submitted = await submitWatched(server, context, { path: '/v1/jobs', json })
    const job = await watchProgress({ server, context, ...submitted })
    if (job === null) return finish(EXIT.interrupted)
    if (job.status !== 'completed') throw jobFailure(job)
    await show({ server, job, format, options, context })
  })
}

const addOptions = (command: Command): Command =>
  command
    .argument('<sql>', 'one SELECT; - reads standard input')
    .addOption(new Option('-f, --format <format>', 'output format instead of a table').choices(RESULT_FORMATS))
    .addOption(new Option('--json', 'same as --format json').conflicts('format'))
    .option('-o, --output <file>', 'write a file; its extension says the format, Arrow when it has none')
    .option(
      '-p, --param <name=value>',
      'value for {name:Type} in the SQL; repeatable',
      repeated(keyValue('name=value')),
    )
    .option('--name <name>', 'name of the job')
    .option('--timeout <seconds>', 'stop the job after this time', positiveSeconds)

const FORMAT_OF_EXTENSION: Readonly<Record<string, ResultFormat>> = {
  '.arrow': 'arrow',
  '.feather': 'arrow',
  '.ipc': 'arrow',
  '.arrows': 'arrow_stream',
  '.parquet': 'parquet',
  '.csv': 'csv',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.json': 'json',
}

/** 'table' by default on standard output. */
const chooseFormat = ({ format, json, output }: QueryOptions, context: CliContext): ResultFormat | 'table' => {
  const said = format ?? (json ? 'json' : undefined)
  if (output !== undefined && output !== '-') return said ?? formatOfFile(output)
  if (said === undefined) return 'table'
  refuseBinary(said, context)
  return said
}

/** Refuses unknown extensions: Arrow in a file named `.csv.gz` would surprise its reader. */
const formatOfFile = (file: string): ResultFormat => {
  const extension = extname(file).toLowerCase()
  if (extension.length <= 1) return 'arrow'
  const format = FORMAT_OF_EXTENSION[extension]
  if (format !== undefined) return format
  const known = Object.keys(FORMAT_OF_EXTENSION).join(' ')
  throw new CliFailure(`no format has the extension ${extension}`, {
    exitCode: EXIT.usage,
    hint: `Use one of ${known}, or give --format.`,
  })
}

type Body = {
  readonly sql: string
  readonly options: QueryOptions
  readonly format: ResultFormat | 'table'
  readonly context: CliContext
}

const jobBody = async ({ sql, options, format, context }: Body): Promise<unknown> => ({
  query: sql === '-' ? await readText('-', context) : sql,
  format: format === 'table' ? 'ndjson_exact' : format,
  parameters: options.param && Object.fromEntries(options.param.map(([name, value]) => [name, parameterOf(value)])),
  name: options.name,
  timeout_seconds: options.timeout,
})

/** Lists and maps are given as JSON. Anything else is text, which the engine converts to the type in the SQL. */
const parameterOf = (value: string): unknown => (/^[[{]/.test(value) ? readJsonOrText(value) : value)

type Showing = {
  readonly server: ServerAddress
  readonly job: JobAnswer
  readonly format: ResultFormat | 'table'
  readonly options: QueryOptions
  readonly context: CliContext
}

const show = async ({ server, job, format, options, context }: Showing): Promise<void> => {
  const path = jobPath(job.job_id, '/result')
  if (format === 'table') return showTable({ server, path, job, context })
  const { bytes = null, sha256 = null } = job.result ?? {}
  const incoming: Incoming = { server, path, label: 'result', size: bytes, sha256, terminal: context.stderr }
  if (options.output === undefined || options.output === '-') return saveTo(incoming, context.stdout)
  await saveToFile(incoming, resolve(context.directory, options.output))
  notes(context)(`${countText(rowCountOf(job), 'row')}, ${sizeText(bytes ?? 0)}: ${options.output}`)
}

const showTable = async ({ server, path, job, context }: Omit<Showing, 'format' | 'options'> & { path: string }) => {
  const rows = await firstRows(server, { path, limit: MOST_SHOWN })
  context.stdout.write(formatColumns(rows, context.stdout.columns))
  const count = rowCountOf(job)
  if (count > rows.values.length)
    notes(context)(`the first ${rows.values.length} of ${countText(count, 'row')}; -o FILE writes them all`)
  else if (context.stderr.isTTY || count === 0) notes(context)(countText(count, 'row'))
}

const rowCountOf = ({ statistics }: JobAnswer): number => statistics?.row_count ?? 0
