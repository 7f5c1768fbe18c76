import { type DataSourceAnswer, getDataSource } from '../../client/data-sources.ts'
import { findServer } from '../../client/server-address.ts'
import type { Define } from '../../define.ts'
import { type Field, fieldsText } from '../../terminal/fields.ts'
import { sizeText, timeText } from '../../terminal/quantity-text.ts'
import { formatTable } from '../../terminal/table.ts'

/** `millrace datasources show NAME`: the definition and figures of a data source. */
export const defineShow: Define = (command, context) => {
  command
    .description('show one data source')
    .argument('<name>', 'name or id of the data source')
    .option('--json', 'print JSON')
    .action(async (name: string, options: { json?: boolean }) => {
      const found = await getDataSource(findServer(context), name)
      if (options.json) context.stdout.write(`${JSON.stringify(found, null, 2)}\n`)
      else context.stdout.write(`${fieldsText(context, fields(found))}\n${formatTable(COLUMNS, found.schema)}`)
    })
}

const fields = (found: DataSourceAnswer): readonly Field[] => [
  { name: 'data source', value: found.datasource_id },
  { name: 'name', value: found.name },
  { name: 'description', value: found.description },
  { name: 'engine', value: found.engine },
  { name: 'sorting key', value: found.sorting_key },
  { name: 'partition key', value: found.partition_key },
  { name: 'ttl', value: found.ttl },
  { name: 'format', value: found.format },
  { name: 'rows', value: found.row_count?.toLocaleString('en') },
  { name: 'size', value: found.bytes === null ? null : sizeText(found.bytes) },
  { name: 'in quarantine', value: found.quarantine_rows?.toLocaleString('en') },
  { name: 'used by', value: found.used_by.join(' ') },
  { name: 'created', value: timeText(found.created_at) },
  { name: 'updated', value: timeText(found.updated_at) },
]

type SchemaColumn = DataSourceAnswer['schema'][number]

const COLUMNS = [
  { title: 'COLUMN', value: (column: SchemaColumn) => column.name },
  { title: 'TYPE', value: (column: SchemaColumn) => column.type },
  { title: 'DEFAULT', value: (column: SchemaColumn) => column.default ?? '' },
  { title: 'JSON PATH', value: (column: SchemaColumn) => column.json_path ?? '' },
]
