import type { WorkflowState } from '../../../model/workflow.ts'
import { call } from '../../client/request.ts'
import { findServer } from '../../client/server-address.ts'
import { workflowPath } from '../../client/workflows.ts'
import type { Define } from '../../define.ts'
import { count } from '../../option-value.ts'
import { durationText, timeText } from '../../terminal/quantity-text.ts'
import { showList } from '../../terminal/show-list.ts'

type UpcomingSlot = { readonly slot: string; readonly fire_at: string }

type UpcomingAnswer = { readonly state: WorkflowState; readonly slots: readonly UpcomingSlot[] }

/** `millrace workflows upcoming NAME`: when its schedule fires next. */
export const defineUpcoming: Define = (command, context) => {
  command
    .description('list the next slots of a workflow')
    .argument('<name>', 'name or id of the workflow')
    .option('-n, --count <n>', 'number of slots', count, 10)
    .option('--json', 'print JSON: {state, slots}')
    .action(async (name: string, options: { count: number; json?: boolean }) => {
      const path = workflowPath(name, '/upcoming')
      const query = { count: options.count }
      const answer = await call<UpcomingAnswer>(findServer(context), { path, query })
      const { state, slots: rows } = answer
      const things = state === 'active' ? 'further slots' : `slots to come: the workflow is ${state}`
      showList({ context, answer, rows, columns: columns(Date.now()), things, json: options.json })
    })
}

const columns = (now: number) => [
  { title: 'SLOT', value: ({ slot }: UpcomingSlot) => timeText(slot) },
  { title: 'UTC', value: ({ slot }: UpcomingSlot) => slot },
  { title: 'IN', align: 'right' as const, value: ({ fire_at: at }: UpcomingSlot) => inText(Date.parse(at) - now) },
  { title: 'JITTER', align: 'right' as const, value: jitterText },
]

const inText = (ms: number): string => (ms <= 0 ? 'now' : durationText(ms))

const jitterText = ({ slot, fire_at: at }: UpcomingSlot): string => {
  const jitter = Date.parse(at) - Date.parse(slot)
  return jitter === 0 ? '' : durationText(jitter)
}
