import { findServer } from '../../client/server-address.ts'
import { getRun, type RunAnswer } from '../../client/workflows.ts'
import type { Define } from '../../define.ts'
import { RUN_STYLE } from '../../terminal/colour.ts'
import { type Field, fieldsText } from '../../terminal/fields.ts'
import { timeText } from '../../terminal/quantity-text.ts'
import { countsText } from '../../terminal/run-progress.ts'

/** `millrace runs show ID`: the state of a run. */
export const defineShow: Define = (command, context) => {
  command
    .description('show one run')
    .argument('<id>', 'id of the run')
    .option('--json', 'print JSON')
    .action(async (id: string, options: { json?: boolean }) => {
      const run = await getRun(findServer(context), id)
      context.stdout.write(options.json ? `${JSON.stringify(run, null, 2)}\n` : fieldsText(context, fields(run)))
    })
}

const fields = (run: RunAnswer): readonly Field[] => [
  { name: 'run', value: run.run_id },
  { name: 'workflow', value: run.workflow_id },
  { name: 'version', value: run.workflow_version },
  { name: 'trigger', value: run.trigger },
  { name: 'status', value: run.status, style: RUN_STYLE[run.status] },
  { name: 'reason', value: run.status_reason },
  { name: 'items', value: countsText(run.counts) },
  { name: 'retry of', value: run.retry_of },
  { name: 'slot', value: timeText(run.scheduled_at) },
  { name: 'created', value: timeText(run.created_at) },
  { name: 'started', value: timeText(run.started_at) },
  { name: 'finished', value: timeText(run.finished_at) },
]
