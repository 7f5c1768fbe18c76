import type { JobAnswer } from '../client/job-answer.ts'
import { getJob, waitForJob } from '../client/jobs.ts'
import { findServer } from '../client/server-address.ts'
import type { CliContext } from '../context.ts'
import type { Define } from '../define.ts'
import { paint, STATUS_STYLE } from '../terminal/colour.ts'
import { timeText } from '../terminal/quantity-text.ts'

/** `millrace job ID`: everything about one job that is known and not empty. */
export const job: Define = (command, context) => {
  command
    .argument('<id>', 'id of the job')
    .option('-w, --wait', 'wait until it has ended')
    .option('--json', 'print JSON')
    .action(async (id: string, options: { wait?: boolean; json?: boolean }) => {
      const server = findServer(context)
      const found = options.wait ? await waitForJob(server, id) : await getJob(server, id)
      context.stdout.write(options.json ? `${JSON.stringify(found, null, 2)}\n` : describe(found, context))
    })
}

const describe = (found: JobAnswer, { stdout }: CliContext): string => {
  const rows = fields(found).filter(([, value]) => value !== null && value !== '')
  const width = Math.max(...rows.map(([name]) => name.length))
  const line = ([name, value]: Field): string => {
    const shown = name === 'status' ? paint(stdout, STATUS_STYLE[found.status], String(value)) : value
    return `${paint(stdout, 'dim', name.padEnd(width))}  ${shown}\n`
  }
  return `${rows.map(line).join('')}${paint(stdout, 'dim', 'spec')}\n${JSON.stringify(found.spec, null, 2)}\n`
}

type Field = readonly [name: string, value: string | number | null]

const fields = (found: JobAnswer): readonly Field[] => [
  ['job', found.job_id],
  ['name', found.name],
  ['kind', found.kind],
  ['status', found.status],
  ['reason', found.status_reason],
  ['error', found.error?.message ?? null],
  ['exit code', found.exit_code],
  ['signal', found.signal],
  ['progress', progressText(found.progress)],
  ['attempt', found.attempt === 0 ? null : `${found.attempt} (at most ${found.maximum_attempts} after own failures)`],
  [
    'labels',
    Object.entries(found.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(' '),
  ],
  ['queue', found.queue === 'default' ? null : found.queue],
  ['priority', found.priority === 0 ? null : found.priority],
  ['parent', found.parent_job_id],
  ['rerun of', found.rerun_of],
  ['worker', found.worker_id],
  ['created', timeText(found.created_at)],
  ['scheduled', timeText(found.scheduled_at)],
  ['started', timeText(found.started_at)],
  ['finished', timeText(found.finished_at)],
]

const progressText = (progress: JobAnswer['progress']): string | null => {
  if (progress === null) return null
  const share = progress.percentage === null ? [] : [`${progress.percentage}%`]
  return [...share, ...(progress.message === null ? [] : [progress.message])].join(' ')
}
