import type { DataSourceChange, NewDataSource } from '../../data/tables/data-sources.ts'
import { type FieldError, invalidField, refuseFields } from '../../kernel/errors.ts'
import type { Column, DataSource } from '../../model/data-source.ts'
import { JSON_PATH_MEANING, readJsonPath } from '../../model/json-path.ts'
import { PLAIN_TEXT } from '../../model/patterns.ts'
import { readSchemaText } from '../../model/schema-text.ts'
import type { GivenSchema } from '../schemas/data-source.ts'

type Given = {
  readonly description?: string | null
  readonly engine?: string
  readonly sorting_key?: string | null
  readonly partition_key?: string | null
  readonly ttl?: string | null
}

/** Converts a body that matches its schema to a new data source. Throws `invalid`. */
export const readNewDataSource = ({
  name,
  schema,
  engine,
  ...given
}: Given & { readonly name: string; readonly schema: GivenSchema }): NewDataSource => ({
  name,
  description: given.description ?? null,
  columns: readSchema(schema),
  ...(engine !== undefined && { engine }),
  sortingKey: given.sorting_key ?? null,
  partitionKey: given.partition_key ?? null,
  ttl: given.ttl ?? null,
})

/** The requested changes. Throws `invalid` for what cannot be changed. */
export const readDataSourceChange = (
  before: DataSource,
  given: Given & { readonly name?: string; readonly schema?: GivenSchema },
): DataSourceChange => {
  const fixed = { name: before.name, engine: before.engine, ...keysOf(before) }
  const faults = Object.entries(fixed).flatMap(([path, value]): readonly FieldError[] => {
    const said = given[path as keyof typeof fixed]
    if (said === undefined || said === value) return []
    return [{ path, message: `cannot be changed: it must stay ${JSON.stringify(value)}` }]
  })
  refuseFields(faults)
  return {
    ...(given.description !== undefined && { description: given.description ?? null }),
    ...(given.ttl !== undefined && { ttl: given.ttl ?? null }),
    ...(given.schema !== undefined && { columns: readSchema(given.schema) }),
  }
}

const keysOf = ({ sortingKey, partitionKey }: DataSource) => ({ sorting_key: sortingKey, partition_key: partitionKey })

const readSchema = (schema: GivenSchema): readonly Column[] => {
  const columns =
    typeof schema === 'string'
      ? readSchemaText(schema)
      : schema.map(
          ({ name, type, json_path, default: given }): Column => ({
            name,
            type,
            jsonPath: json_path ?? null,
            ...(given != null && { default: given }),
          }),
        )
  if (typeof columns === 'string') throw invalidField('schema', columns)
  const faults = columns.flatMap(({ jsonPath }, index) =>
    jsonPath === null || (PLAIN.test(jsonPath) && readJsonPath(jsonPath) !== null)
      ? []
      : [{ path: `schema.${index}.json_path`, message: JSON_PATH_MEANING }],
  )
  refuseFields(faults)
  return columns
}

const PLAIN = new RegExp(PLAIN_TEXT, 'u')
