import { dataSourcePath } from '../../client/data-sources.ts'
import { readPages } from '../../client/pages.ts'
import type { Row } from '../../client/rows.ts'
import { findServer } from '../../client/server-address.ts'
import type { Define } from '../../define.ts'
import { count } from '../../option-value.ts'
import { timeText } from '../../terminal/quantity-text.ts'
import { formatRows } from '../../terminal/rows-table.ts'

type QuarantineOptions = { readonly limit: number; readonly json?: boolean }

/** `millrace datasources quarantine NAME`: the newest rows that did not fit, and why. */
export const defineQuarantine: Define = (command, context) => {
  command
    .description('show the newest quarantined rows, and why they do not fit')
    .argument('<name>', 'name or id of the data source')
    .option('-n, --limit <n>', 'maximum number of entries', count, 20)
    .option('--json', 'print JSON: {rows, next_cursor}')
    .action(async (name: string, { limit, json }: QuarantineOptions) => {
      const path = dataSourcePath(name, '/quarantine')
      const answer = await readPages<Row, 'rows'>(findServer(context), 'rows', { path, limit })
      if (json) context.stdout.write(`${JSON.stringify(answer)}\n`)
      else if (answer.rows.length === 0) context.stderr.write('no rows in quarantine\n')
      else context.stdout.write(formatRows(answer.rows.map(forPeople), context.stdout.columns))
    })
}

/** The error comes first, because the row may be wider than the terminal. */
const forPeople = ({ c__error_column, c__error, c__import_id, insertion_date, ...row }: Row): Row => ({
  when: timeText(String(insertion_date)),
  column: joined(c__error_column),
  error: joined(c__error),
  ...row,
})

const joined = (value: unknown): string => (Array.isArray(value) ? value.join('; ') : String(value ?? ''))
