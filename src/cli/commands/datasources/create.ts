import { createDataSource } from '../../client/data-sources.ts'
import { findServer } from '../../client/server-address.ts'
import type { CliContext } from '../../context.ts'
import type { Define } from '../../define.ts'
import { EXIT } from '../../exit-code.ts'
import { CliFailure } from '../../failure.ts'
import { placeText } from '../../local-file.ts'
import { readDefinitions } from '../../read-definitions.ts'

type CreateOptions = {
  readonly schema?: string
  readonly engine?: string
  readonly sortingKey?: string
  readonly partitionKey?: string
  readonly ttl?: string
  readonly description?: string
  readonly json?: boolean
}

/** `millrace datasources create FILE` or `… create NAME --schema "id Int32, name String"`: creates a data source. */
export const defineCreate: Define = (command, context) => {
  command
    .description('create a data source from a file or from options')
    .argument('<file or name>', 'JSON or YAML request body of the API, - reads standard input; with --schema: the name')
    .option('-s, --schema <columns>', 'columns and types: "id Int32, name Nullable(String)"')
    .option('--engine <engine>', 'table engine of the MergeTree family; default: MergeTree')
    .option('--sorting-key <expressions>', 'expressions that rows are sorted by')
    .option('--partition-key <expression>', 'expression that splits the table into partitions')
    .option('--ttl <expression>', 'when rows expire: "day + INTERVAL 1 YEAR"')
    .option('--description <text>', 'for people')
    .option('--json', 'print the data source as JSON')
    .action(async (place: string, { json, ...options }: CreateOptions) => {
      const definition = await definitionOf(place, options, context)
      const made = await createDataSource(findServer(context), definition)
      context.stdout.write(json ? `${JSON.stringify(made)}\n` : `${made.name} created\n`)
    })
}

const definitionOf = async (place: string, options: CreateOptions, context: CliContext): Promise<unknown> => {
  const { schema, engine, sortingKey, partitionKey, ttl, description } = options
  const given = { schema, engine, sorting_key: sortingKey, partition_key: partitionKey, ttl, description }
  if (schema !== undefined) return { name: place, ...given }
  const [definition, ...others] = await readDefinitions(place, context)
  if (others.length > 0)
    throw new CliFailure(`${placeText(place)}: must have one data source`, { exitCode: EXIT.usage })
  return { ...definition, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) }
}
