import { readPages } from '../../client/pages.ts'
import type { NodeAnswer, PipeAnswer } from '../../client/pipes.ts'
import { findServer } from '../../client/server-address.ts'
import type { Define } from '../../define.ts'
import { count } from '../../option-value.ts'
import { shortTimeText } from '../../terminal/quantity-text.ts'
import { showList } from '../../terminal/show-list.ts'
import type { Column } from '../../terminal/table.ts'

type ListOptions = { readonly limit: number; readonly json?: boolean }

/** `millrace pipes list`: the newest pipes. */
export const defineList: Define = (command, context) => {
  command
    .description('list pipes')
    .option('-n, --limit <n>', 'maximum number of entries', count, 50)
    .option('--json', 'print JSON: {pipes, next_cursor}')
    .action(async ({ limit, json }: ListOptions) => {
      const answer = await readPages<PipeAnswer, 'pipes'>(findServer(context), 'pipes', { path: '/v1/pipes', limit })
      showList({ context, answer, rows: answer.pipes, columns: columns(Date.now()), things: 'pipes', json })
    })
}

const columns = (now: number): readonly Column<PipeAnswer>[] => [
  { title: 'NAME', value: pipe => pipe.name },
  { title: 'UPDATED', value: pipe => shortTimeText(pipe.updated_at, now) },
  { title: 'NODES', value: pipe => pipe.nodes.map(nodeText).join(' ') },
]

/** `per_day>day_counts`: a node and where its rows go. */
const nodeText = ({ name, materialize_into, copy_into }: NodeAnswer): string => {
  const into = materialize_into ?? copy_into
  return into === undefined ? name : `${name}>${into}`
}
