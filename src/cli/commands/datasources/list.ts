import type { DataSourceAnswer } from '../../client/data-sources.ts'
import { readPages } from '../../client/pages.ts'
import { findServer } from '../../client/server-address.ts'
import type { Define } from '../../define.ts'
import { count } from '../../option-value.ts'
import { shortTimeText, sizeText } from '../../terminal/quantity-text.ts'
import { showList } from '../../terminal/show-list.ts'
import type { Column } from '../../terminal/table.ts'

type ListOptions = { readonly limit: number; readonly json?: boolean }

/** `millrace datasources list`: the newest data sources. */
export const defineList: Define = (command, context) => {
  command
    .description('list data sources')
    .option('-n, --limit <n>', 'maximum number of entries', count, 50)
    .option('--json', 'print JSON: {datasources, next_cursor}')
    .action(async ({ limit, json }: ListOptions) => {
      const path = '/v1/datasources'
      const answer = await readPages<DataSourceAnswer, 'datasources'>(findServer(context), 'datasources', {
        path,
        limit,
      })
      showList({
        context,
        answer,
        rows: answer.datasources,
        columns: columns(Date.now()),
        things: 'data sources',
        json,
      })
    })
}

const columns = (now: number): readonly Column<DataSourceAnswer>[] => [
  { title: 'NAME', value: one => one.name },
  { title: 'ROWS', align: 'right', value: one => figureText(one.row_count) },
  { title: 'SIZE', align: 'right', value: one => (one.bytes === null ? '-' : sizeText(one.bytes)) },
  { title: 'QUARANTINE', align: 'right', value: one => figureText(one.quarantine_rows) },
  { title: 'UPDATED', value: one => shortTimeText(one.updated_at, now) },
  { title: 'PIPES', value: one => one.used_by.join(' ') },
]

const figureText = (figure: number | null): string => figure?.toLocaleString('en') ?? '-'
