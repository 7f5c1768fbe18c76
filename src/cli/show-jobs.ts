import { type Command, InvalidArgumentError } from 'commander'
import { JOB_STATUSES } from '../model/job-status.ts'
import type { JobAnswer } from './client/job-answer.ts'
import { readPages } from './client/pages.ts'
import type { ServerAddress } from './client/server-address.ts'
import type { CliContext } from './context.ts'
import { count, repeated } from './option-value.ts'
import { paint, STATUS_STYLE } from './terminal/colour.ts'
import { ranText, shortTimeText } from './terminal/quantity-text.ts'
import { showList } from './terminal/show-list.ts'
import type { Column } from './terminal/table.ts'

const STATUSES = Object.keys(JOB_STATUSES)

/** What `addJobFilters` parses. */
export type JobFilterOptions = {
  readonly status?: readonly string[]
  readonly kind?: readonly string[]
  readonly name?: string
  readonly label?: readonly string[]
  readonly limit: number
  readonly json?: boolean
}

/** The options of every list of jobs. */
export const addJobFilters = (command: Command): Command =>
  command
    .option('-s, --status <status>', `${STATUSES.join(', ')}; repeatable or comma-separated`, repeated(String))
    .option('-k, --kind <kind>', 'only these kinds; repeatable or comma-separated', repeated(String))
    .option('--name <prefix>', 'only names with this prefix')
    .option('-l, --label <key=value>', 'only with this label; repeatable', repeated(labelFilter))
    .option('-n, --limit <n>', 'maximum number of entries', count, 20)
    .option('--json', 'print JSON: {jobs, next_cursor}')

/** Lists the newest jobs at a path of the API. */
export const showJobs = async (input: {
  readonly server: ServerAddress
  readonly context: CliContext
  readonly path: string
  /** In addition to `addJobFilters`. */
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly options: JobFilterOptions
}): Promise<void> => {
  const { server, context, path, options } = input
  const { status, kind, name, label, limit, json } = options
  const answer = await readPages<JobAnswer, 'jobs'>(server, 'jobs', {
    path,
    query: { status, kind, name, label, ...input.query },
    limit,
  })
  showList({ context, answer, rows: answer.jobs, columns: columns(context, Date.now()), things: 'jobs', json })
}

/** The API separates key and value by a colon; labels are typed and shown with `=` everywhere. */
const labelFilter = (text: string): string => {
  if (!/^[^:=]+[:=]/.test(text)) throw new InvalidArgumentError('It must be key=value.')
  return text.replace(/^([^:=]+)=/, '$1:')
}

const columns = ({ stdout }: CliContext, now: number): readonly Column<JobAnswer>[] => [
  { title: 'JOB', value: job => job.job_id },
  {
    title: 'STATUS',
    value: job => job.status,
    style: (cell, job) => paint(stdout, STATUS_STYLE[job.status], cell),
  },
  { title: 'KIND', value: job => job.kind },
  { title: 'CREATED', value: job => shortTimeText(job.created_at, now) },
  { title: 'RAN', align: 'right', value: job => ranText(job, now) },
  { title: 'REASON', value: job => reasonText(job) },
  { title: 'NAME', value: job => job.name ?? whatText(job) },
]

const reasonText = ({ status_reason: reason, exit_code: code, signal }: JobAnswer): string => {
  if (reason === 'exit_code') return `exit ${code}`
  if (reason === 'signal') return signal ?? reason
  // The status already says it.
  if (reason === 'cancelled_by_user') return ''
  return reason ?? ''
}

/** What a job without a name does. */
const whatText = ({ spec }: JobAnswer): string => {
  const http = spec.http as { readonly method?: string; readonly url?: string } | undefined
  if (http !== undefined) return `${http.method ?? 'GET'} ${http.url}`
  const what = spec.command ?? spec.api ?? spec.query ?? dataText(spec)
  return Array.isArray(what) ? what.join(' ') : typeof what === 'string' ? what : ''
}

/** What a data job works on: a data source and where its rows come from; or a pipe and its node. */
const dataText = (spec: JobAnswer['spec']): string | undefined => {
  const { datasource, url, pipe, node } = (spec.import ?? spec.populate ?? spec.copy ?? spec.delete ?? {}) as {
    readonly [field in 'datasource' | 'url' | 'pipe' | 'node']?: string
  }
  if (pipe !== undefined) return node === undefined ? pipe : `${pipe}.${node}`
  return url === undefined || url.startsWith('upload:') ? datasource : `${url} → ${datasource}`
}
