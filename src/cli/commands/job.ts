import type { JobAnswer } from '../client/job-answer.ts'
import { getJob, waitForJob } from '../client/jobs.ts'
import { findServer } from '../client/server-address.ts'
import type { CliContext } from '../context.ts'
import type { Define } from '../define.ts'
import { failureHint } from '../job-failure.ts'
import { paint, STATUS_STYLE } from '../terminal/colour.ts'
import { type Field, fieldsText } from '../terminal/fields.ts'
import { plainLines } from '../terminal/plain-text.ts'
import { labelsText, sizeText, timeText } from '../terminal/quantity-text.ts'

/** `millrace job ID`: all known and non-empty facts about one job. */
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

const describe = (found: JobAnswer, context: CliContext): string =>
  `${fieldsText(context, fields(found))}${paint(context.stdout, 'dim', 'spec')}\n${plainLines(JSON.stringify(found.spec, null, 2))}\n`

const fields = (found: JobAnswer): readonly Field[] => [
  { name: 'job', value: found.job_id },
  { name: 'name', value: found.name },
  { name: 'kind', value: found.kind },
  { name: 'status', value: found.status, style: STATUS_STYLE[found.status] },
  { name: 'reason', value: found.status_reason },
  { name: 'error', value: found.error?.message },
  { name: 'hint', value: failureHint(found) },
  { name: 'exit code', value: found.exit_code },
  { name: 'signal', value: found.signal },
  { name: 'progress', value: progressText(found.progress) },
  { name: 'attempt', value: attemptText(found) },
  { name: 'statistics', value: statisticsText(found.statistics) },
  { name: 'result', value: resultText(found.result) },
  { name: 'labels', value: labelsText(found.labels) },
  { name: 'queue', value: found.queue === 'default' ? null : found.queue },
  { name: 'priority', value: found.priority === 0 ? null : found.priority },
  { name: 'workflow', value: found.workflow_id },
  { name: 'run', value: found.run_id },
  { name: 'parent', value: found.parent_job_id },
  { name: 'rerun of', value: found.rerun_of },
  { name: 'worker', value: found.worker_id },
  { name: 'created', value: timeText(found.created_at) },
  { name: 'scheduled', value: timeText(found.scheduled_at) },
  { name: 'started', value: timeText(found.started_at) },
  { name: 'finished', value: timeText(found.finished_at) },
]

/** Retries after system failures are listed separately: `3` of at most 2 would be puzzling. */
const attemptText = ({ attempt, maximum_attempts: most, system_attempts: system }: JobAnswer): string | null => {
  if (attempt === 0) return null
  const rest = system === 0 ? '' : `, and ${system} more for failures of the system`
  return `${attempt} (at most ${most}${rest})`
}

const resultText = (result: JobAnswer['result']): string | null =>
  result
    ? `${result.format}, ${sizeText(result.bytes)}${result.expires_at === null ? '' : `, kept until ${timeText(result.expires_at)}`}`
    : null

const statisticsText = (statistics: JobAnswer['statistics']): string =>
  Object.entries(statistics ?? {})
    .map(([name, value]) => `${name} ${typeof value === 'string' ? JSON.stringify(value) : value}`)
    .join(', ')

const progressText = (progress: JobAnswer['progress']): string | null => {
  if (progress === null) return null
  const share = progress.percentage === null ? [] : [`${progress.percentage}%`]
  return [...share, ...(progress.message === null ? [] : [progress.message])].join(' ')
}
