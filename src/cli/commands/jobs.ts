import type { JobAnswer } from '../client/job-answer.ts'
import { readPages } from '../client/pages.ts'
import { findServer } from '../client/server-address.ts'
import type { CliContext } from '../context.ts'
import type { Define } from '../define.ts'
import { count, repeated } from '../option-value.ts'
import { paint, STATUS_STYLE } from '../terminal/colour.ts'
import { durationText, shortTimeText } from '../terminal/quantity-text.ts'
import { type Column, formatTable } from '../terminal/table.ts'

type JobsOptions = {
  readonly status?: readonly string[]
  readonly kind?: readonly string[]
  readonly name?: string
  readonly label?: readonly string[]
  readonly queue?: string
  readonly parent?: string
  readonly run?: string
  readonly limit: number
  readonly json?: boolean
}

/** `millrace jobs`: the newest jobs, filtered. */
export const jobs: Define = (command, context) => {
  command
    .option('-s, --status <status>', 'only these; repeatable or comma-separated', repeated(String))
    .option('-k, --kind <kind>', 'only these kinds; repeatable or comma-separated', repeated(String))
    .option('--name <prefix>', 'only names that begin so')
    .option('-l, --label <key:value>', 'only with this label; repeatable', repeated(String))
    .option('--queue <name>', 'only of this queue')
    .option('--parent <id>', 'only children of this job')
    .option('--run <id>', 'only items of this run')
    .option('-n, --limit <n>', 'at most so many', count, 20)
    .option('--json', 'print JSON: {jobs, next_cursor}')
    .action(async (options: JobsOptions) => {
      const page = await readPages<JobAnswer, 'jobs'>(findServer(context), 'jobs', {
        path: '/v1/jobs',
        query: filters(options),
        limit: options.limit,
      })
      if (options.json) context.stdout.write(`${JSON.stringify(page)}\n`)
      else if (page.jobs.length === 0) context.stderr.write('no jobs\n')
      else context.stdout.write(formatTable(columns(context, Date.now()), page.jobs, context.stdout.columns))
    })
}

const filters = ({ status, kind, name, label, queue, parent, run }: JobsOptions) => ({
  status,
  kind,
  name,
  label,
  queue,
  parent_job_id: parent,
  run_id: run,
})

const columns = ({ stdout }: CliContext, now: number): readonly Column<JobAnswer>[] => [
  { title: 'JOB', value: job => job.job_id },
  {
    title: 'STATUS',
    value: job => job.status,
    style: (cell, job) => paint(stdout, STATUS_STYLE[job.status], cell),
  },
  { title: 'KIND', value: job => job.kind },
  { title: 'CREATED', value: job => shortTimeText(job.created_at, now) },
  { title: 'RAN', align: 'right', value: job => ranFor(job, now) },
  { title: 'REASON', value: job => reasonText(job) },
  { title: 'NAME', value: job => job.name ?? commandText(job) },
]

const ranFor = (job: JobAnswer, now: number): string => {
  if (job.started_at === null) return ''
  const end = job.finished_at === null ? now : Date.parse(job.finished_at)
  return durationText(Math.max(0, end - Date.parse(job.started_at)))
}

const reasonText = ({ status_reason: reason, exit_code: code, signal }: JobAnswer): string => {
  if (reason === 'exit_code') return `exit ${code}`
  if (reason === 'signal') return signal ?? reason
  // What the status says already.
  if (reason === 'cancelled_by_user') return ''
  return reason ?? ''
}

/** A job without a name is told by what it does. */
const commandText = ({ spec }: JobAnswer): string => {
  const what = spec.command
  return Array.isArray(what) ? what.join(' ') : typeof what === 'string' ? what : ''
}
