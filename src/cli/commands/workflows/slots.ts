import type { SkipReason } from '../../../model/workflow.ts'
import { readPages } from '../../client/pages.ts'
import { findServer } from '../../client/server-address.ts'
import { workflowPath } from '../../client/workflows.ts'
import type { CliContext } from '../../context.ts'
import type { Define } from '../../define.ts'
import { count } from '../../option-value.ts'
import { paint } from '../../terminal/colour.ts'
import { timeText } from '../../terminal/quantity-text.ts'
import { showList } from '../../terminal/show-list.ts'
import type { Column } from '../../terminal/table.ts'

type SlotAnswer = {
  readonly slot: string
  readonly last_slot: string
  readonly count: number
  readonly outcome: 'fired' | 'skipped'
  readonly reason: SkipReason | null
  readonly run_id: string | null
  readonly recorded_at: string
}

/** `millrace workflows slots NAME`: which slots of its schedule fired, and why others did not. */
export const defineSlots: Define = (command, context) => {
  command
    .description('list past slots of a workflow, fired or skipped, with the reason')
    .argument('<name>', 'name or id of the workflow')
    .option('-n, --limit <n>', 'maximum number of entries', count, 20)
    .option('--json', 'print JSON: {slots, next_cursor}')
    .action(async (name: string, { limit, json }: { limit: number; json?: boolean }) => {
      const path = workflowPath(name, '/slots')
      const answer = await readPages<SlotAnswer, 'slots'>(findServer(context), 'slots', { path, limit })
      showList({ context, answer, rows: answer.slots, columns: columns(context), things: 'slots', json })
    })
}

const columns = ({ stdout }: CliContext): readonly Column<SlotAnswer>[] => [
  { title: 'SLOT', value: slot => timeText(slot.slot) },
  { title: 'TO', value: slot => (slot.count > 1 ? timeText(slot.last_slot) : '') },
  { title: 'SLOTS', align: 'right', value: slot => String(slot.count) },
  {
    title: 'OUTCOME',
    value: slot => slot.outcome,
    style: (cell, slot) => paint(stdout, slot.outcome === 'fired' ? 'green' : 'yellow', cell),
  },
  { title: 'REASON', value: slot => slot.reason ?? '' },
  { title: 'RUN', value: slot => slot.run_id ?? '' },
]
