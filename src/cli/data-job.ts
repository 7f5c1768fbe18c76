import type { Command } from 'commander'
import { csvReadingText } from '../model/csv-reading.ts'
import type { JobAnswer } from './client/job-answer.ts'
import { postOnce, type SubmitAnswer } from './client/jobs.ts'
import type { ServerAddress } from './client/server-address.ts'
import type { CliContext } from './context.ts'
import { EXIT } from './exit-code.ts'
import { jobFailure } from './job-failure.ts'
import { positiveSeconds } from './option-value.ts'
import { submitWatched } from './submit-watched.ts'
import { countText } from './terminal/count-text.ts'
import { notes } from './terminal/note.ts'
import { durationText, sizeText } from './terminal/quantity-text.ts'
import { watchProgress } from './watch-progress.ts'

/** The options of every command that runs a data job. */
export type DataJobOptions = {
  readonly name?: string
  readonly timeout?: number
  readonly detach?: boolean
  readonly json?: boolean
}

/** Adds the options of `DataJobOptions`. */
export const addDataJobOptions = (command: Command): Command =>
  command
    .option('--name <name>', 'name of the job')
    .option('--timeout <seconds>', 'stop the job after this time', positiveSeconds)
    .option('-d, --detach', 'print the id of the job and do not wait')
    .option('--json', 'print the job as JSON')

type Submitting = {
  readonly server: ServerAddress
  readonly context: CliContext
  /** The job body without the common fields, which come from the options. */
  readonly body: Readonly<Record<string, unknown>>
  readonly options: DataJobOptions
}

/** Submits a data job and waits for it. Resolves with the exit code. */
export const runDataJob = async ({ body, ...rest }: Submitting): Promise<number> => {
  const { name, timeout } = rest.options
  const request = { path: '/v1/jobs', json: { ...body, name, timeout_seconds: timeout } }
  const { server, context, options } = rest
  if (!options.detach) return followDataJob({ ...rest, ...(await submitWatched(server, context, request)) })
  const { job_id: jobId } = await postOnce<SubmitAnswer>(server, request)
  return followDataJob({ ...rest, jobId })
}

type Following = Omit<Submitting, 'body'> & { readonly jobId: string; readonly isInterrupted?: boolean }

/** Waits for a submitted job to end, and reports what it did. Throws `CliFailure` if it failed. */
export const followDataJob = async ({ options, ...watch }: Following): Promise<number> => {
  const { context, jobId } = watch
  if (options.detach) {
    context.stdout.write(options.json ? `${JSON.stringify({ job_id: jobId })}\n` : `${jobId}\n`)
    return EXIT.ok
  }
  const job = await watchProgress(watch)
  if (job === null) return EXIT.interrupted
  if (options.json) context.stdout.write(`${JSON.stringify(job)}\n`)
  if (job.status !== 'completed') throw jobFailure(job)
  if (!options.json) for (const line of report(job)) notes(context)(line)
  return EXIT.ok
}

/** A report in words, without zero counts. */
const report = (job: JobAnswer): readonly string[] => {
  const { delimiter, header } = job.statistics ?? {}
  const rows = rowsText(job)
  return [
    ...(rows === null ? [] : [rows]),
    ...(delimiter === undefined || header === undefined ? [] : [`read as ${csvReadingText({ delimiter, header })}`]),
    ...advice(job),
  ]
}

const rowsText = ({ statistics, spec }: JobAnswer): string | null => {
  const { rows_written, rows_deleted, rows_to_be_deleted } = statistics ?? {}
  const { quarantine_rows = 0, invalid_lines = 0, row_count, bytes = 0, elapsed_ms } = statistics ?? {}
  const parts = [
    ...(rows_to_be_deleted === undefined ? [] : [`${countText(rows_to_be_deleted, 'row')} would be deleted`]),
    ...(rows_deleted === undefined ? [] : [`${countText(rows_deleted, 'row')} deleted`]),
    ...(rows_written === undefined ? [] : [`${countText(rows_written, 'row')} written`]),
    ...(quarantine_rows === 0 ? [] : [`${countText(quarantine_rows, 'row')} quarantined`]),
    ...(invalid_lines === 0 ? [] : [countText(invalid_lines, 'invalid line')]),
  ]
  if (parts.length === 0) return null
  const empty = spec.import !== undefined && statistics?.bytes_read === 0 ? 'the input was empty: ' : ''
  const time = elapsed_ms === undefined ? '' : ` in ${durationText(elapsed_ms)}`
  const now = row_count === undefined ? '' : `; ${countText(row_count, 'row')} there now, ${sizeText(bytes)}`
  return `${empty}${parts.join(', ')}${time}${now}`
}

/** What people may not expect, and where to look. */
const advice = ({ job_id, statistics, spec }: JobAnswer): readonly string[] => {
  const {
    rows_read,
    rows_written = 0,
    row_count = 0,
    quarantine_rows = 0,
    invalid_lines = 0,
    header,
  } = statistics ?? {}
  const { datasource, create } = (spec.import ?? {}) as { readonly datasource?: string; readonly create?: boolean }
  const populate = spec.populate as { readonly truncate?: boolean } | undefined
  const hasOnlyHeader = create === true && header === true && rows_read === 0 && statistics?.row_count === 0
  const keepsRows = populate !== undefined && populate.truncate !== true && row_count > rows_written
  return [
    ...(hasOnlyHeader
      ? [`there were no rows: if ${datasource} was created from this header, its columns are text`]
      : []),
    ...(keepsRows
      ? ['rows that were there stay, even if they came from the same source rows; --truncate replaces them']
      : []),
    ...(quarantine_rows > 0 && datasource !== undefined
      ? [`see what did not fit: millrace datasources quarantine ${datasource}`]
      : []),
    ...(invalid_lines > 0 ? [`see what could not be read: millrace logs ${job_id}`] : []),
  ]
}
