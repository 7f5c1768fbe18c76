import { WORKFLOW_STATES } from '../../../model/workflow.ts'
import { readPages } from '../../client/pages.ts'
import { findServer } from '../../client/server-address.ts'
import type { WorkflowAnswer } from '../../client/workflows.ts'
import type { CliContext } from '../../context.ts'
import type { Define } from '../../define.ts'
import { count, repeated } from '../../option-value.ts'
import { paint, STATE_STYLE } from '../../terminal/colour.ts'
import { shortTimeText } from '../../terminal/quantity-text.ts'
import { showList } from '../../terminal/show-list.ts'
import type { Column } from '../../terminal/table.ts'

type ListOptions = {
  readonly state?: readonly string[]
  readonly query?: string
  readonly limit: number
  readonly json?: boolean
}

/** `millrace workflows list`: the newest workflows, filtered. */
export const defineList: Define = (command, context) => {
  command
    .description('list workflows')
    .option('-s, --state <state>', `${WORKFLOW_STATES.join(', ')}; repeatable or comma-separated`, repeated(String))
    .option('-q, --query <text>', 'only names that contain this text')
    .option('-n, --limit <n>', 'maximum number of entries', count, 50)
    .option('--json', 'print JSON: {workflows, next_cursor}')
    .action(async ({ state, query, limit, json }: ListOptions) => {
      const answer = await readPages<WorkflowAnswer, 'workflows'>(findServer(context), 'workflows', {
        path: '/v1/workflows',
        query: { state, query },
        limit,
      })
      const columns = workflowColumns(context, Date.now())
      showList({ context, answer, rows: answer.workflows, columns, things: 'workflows', json })
    })
}

const workflowColumns = ({ stdout }: CliContext, now: number): readonly Column<WorkflowAnswer>[] => {
  return [
    { title: 'NAME', value: workflow => workflow.name },
    {
      title: 'STATE',
      value: workflow => workflow.state,
      style: (cell, workflow) => paint(stdout, STATE_STYLE[workflow.state], cell),
    },
    { title: 'VERSION', align: 'right', value: workflow => String(workflow.version) },
    { title: 'ITEMS', align: 'right', value: workflow => String(workflow.items) },
    { title: 'FAILURES', align: 'right', value: workflow => failuresText(workflow) },
    { title: 'LAST RUN', value: workflow => shortTimeText(workflow.last_run_at, now) || '-' },
    { title: 'NEXT RUN', value: workflow => shortTimeText(workflow.next_run_at, now) || '-' },
  ]
}

/** Failed runs in a row, and the allowed maximum. */
const failuresText = ({ consecutive_failures: failures, max_consecutive_failures: most }: WorkflowAnswer): string =>
  typeof most === 'number' ? `${failures}/${most}` : String(failures)
