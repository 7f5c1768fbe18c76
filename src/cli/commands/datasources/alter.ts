import { InvalidArgumentError } from 'commander'
import { isNullable } from '../../../model/data-rules.ts'
import type { Column } from '../../../model/data-source.ts'
import { readSchemaText } from '../../../model/schema-text.ts'
import { changeDataSource, type DataSourceAnswer, getDataSource } from '../../client/data-sources.ts'
import { findServer } from '../../client/server-address.ts'
import type { Define } from '../../define.ts'
import { EXIT } from '../../exit-code.ts'
import { CliFailure } from '../../failure.ts'
import { repeated } from '../../option-value.ts'
import { notes } from '../../terminal/note.ts'

type AlterOptions = {
  readonly addColumn?: readonly (readonly Column[])[]
  /** false: `--no-ttl`. */
  readonly ttl?: string | false
  readonly description?: string
  readonly json?: boolean
}

/** `millrace datasources alter NAME`: adds columns, changes TTL and description. */
export const defineAlter: Define = (command, context) => {
  command
    .description('add columns to a data source, change its TTL or description')
    .argument('<name>', 'name or id of the data source')
    .option('--add-column <column>', 'name and type: "seconds Float32 DEFAULT 0"; repeatable', repeated(columnsOf))
    .option('--ttl <expression>', 'when rows expire, also those that are there: "day + INTERVAL 1 YEAR"')
    .option('--no-ttl', 'rows no longer expire')
    .option('--description <text>', 'for people')
    .option('--json', 'print the data source as JSON')
    .action(async (name: string, { addColumn, ttl, description, json }: AlterOptions) => {
      if (addColumn === undefined && ttl === undefined && description === undefined)
        throw new CliFailure('nothing to change: give --add-column, --ttl, --no-ttl or --description', {
          exitCode: EXIT.usage,
        })
      const server = findServer(context)
      const found = await getDataSource(server, name)
      const changed = await changeDataSource(server, found.datasource_id, {
        ...(addColumn !== undefined && { schema: [...found.schema, ...addColumn.flat().map(toSchema)] }),
        ...(ttl !== undefined && { ttl: ttl === false ? null : ttl }),
        description,
      })
      context.stdout.write(json ? `${JSON.stringify(changed)}\n` : `${changed.name} altered\n`)
      const required =
        addColumn?.flat().filter(column => column.default === undefined && !isNullable(column.type)) ?? []
      for (const column of required)
        notes(context)(`from now on every file must have ${column.name}: it is not nullable and has no default`)
    })
}

const columnsOf = (text: string): readonly Column[] => {
  const columns = readSchemaText(text)
  if (typeof columns === 'string') throw new InvalidArgumentError(`${columns}.`)
  return columns
}

const toSchema = ({ jsonPath, ...column }: Column): DataSourceAnswer['schema'][number] => ({
  ...column,
  json_path: jsonPath,
})
