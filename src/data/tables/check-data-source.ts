import { type FieldError, invalidField, refuseFields } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import { columnNameFault, engineFault, nameFault, typeFault } from '../../model/data-rules.ts'
import type { DataSource } from '../../model/data-source.ts'
import { withoutPrefix } from '../../warehouse/guard/without-prefix.ts'
import { isSqlError, WarehouseError } from '../../warehouse/warehouse.ts'
import type { Data } from '../data.ts'
import { isPrintedAlike } from './printed-alike.ts'
import { createTableSql, qualified } from './table-ddl.ts'

/** As in the Tinybird document's limits. */
const MOST_COLUMNS = 500

/**
 * The data source as it may be: expressions as the guard let them through, and a table of it made for a moment. Throws `invalid` with every
 * wrong field by its name in the API.
 */
export const checkDataSource = async (data: Data, workspace: string, given: DataSource): Promise<DataSource> => {
  refuseFields(plainFaults(given))
  const [sortingKey, partitionKey, ttl] = await Promise.all([
    checkExpression(data, workspace, 'sorting_key', given.sortingKey),
    checkExpression(data, workspace, 'partition_key', given.partitionKey),
    checkExpression(data, workspace, 'ttl', given.ttl),
  ])
  const checked = { ...given, sortingKey, partitionKey, ttl }
  await tryTable(data, workspace, checked)
  return checked
}

const plainFaults = ({ name, columns, engine }: DataSource): readonly FieldError[] => {
  const faults: FieldError[] = []
  const add = (path: string, message: string | null): void => {
    if (message !== null) faults.push({ path, message })
  }
  add('name', nameFault(name))
  add('engine', engineFault(engine))
  return [...faults, ...columnFaults(columns)]
}

/** What no table is needed to see: paths begin with `schema`. */
export const columnFaults = (columns: DataSource['columns']): readonly FieldError[] => {
  const faults: FieldError[] = []
  const add = (path: string, message: string | null): void => {
    if (message !== null) faults.push({ path, message })
  }
  if (columns.length === 0 || columns.length > MOST_COLUMNS) add('schema', `must have 1 to ${MOST_COLUMNS} columns`)
  const names = new Set<string>()
  for (const [index, column] of columns.entries()) {
    add(`schema.${index}.name`, columnNameFault(column.name))
    const fault = typeFault(column.type)
    add(`schema.${index}.type`, fault && `the type of ${JSON.stringify(column.name)} ${fault}`)
    if (names.has(column.name)) add(`schema.${index}.name`, `${JSON.stringify(column.name)} is there twice`)
    names.add(column.name)
  }
  return faults
}

const checkExpression = async (
  { warehouse }: Data,
  workspace: string,
  path: string,
  sql: string | null,
): Promise<string | null> => {
  if (sql === null || sql.trim() === '') return null
  try {
    // As one value: a key may be a list of expressions.
    if (path === 'ttl') return await warehouse.checkExpression({ workspace, sql })
    return withoutTuple(await warehouse.checkExpression({ workspace, sql: `${AS_TUPLE}${sql})` }))
  } catch (error) {
    throw toInvalid(path === 'ttl' ? error : withoutPrefix(error, AS_TUPLE), path)
  }
}

const AS_TUPLE = 'tuple('

/** The list inside; an engine prints `tuple(a, b)` as `(a, b)`. */
const withoutTuple = (text: string): string =>
  text
    .replace(/^tuple/, '')
    .trim()
    .replace(/^\(/, '')
    .replace(/\)$/, '')

/** Types, engine and keys are judged by who knows them. */
const tryTable = async ({ warehouse }: Data, workspace: string, dataSource: DataSource): Promise<void> => {
  const database = warehouse.database(workspace)
  const name = `stg_try_${newId().replaceAll('-', '')}`
  const sql = createTableSql(database, { ...dataSource, name })
  try {
    await mustBeKept(warehouse, workspace, sql)
    await warehouse.command({ workspace, sql })
  } catch (error) {
    throw toInvalid(error, 'schema')
  } finally {
    await warehouse.command({ workspace, sql: `DROP TABLE IF EXISTS ${qualified(database, name)} SYNC` })
  }
}

/**
 * The engine keeps a table as a text that it prints itself, and reads it when it starts. Of a name that it prints without the quotes it needs it would make
 * another key, or not start at all. Throws `WarehouseError`.
 */
const mustBeKept = async (warehouse: Data['warehouse'], workspace: string, sql: string): Promise<void> => {
  if (await isPrintedAlike(warehouse, workspace, sql)) return
  throw new WarehouseError(
    'sql_error',
    'The engine would not read this table again as it is: a key or the TTL names a column that is called as a word of SQL is (not, true, nan). Call the column otherwise.',
  )
}

/** Everything else than a fault of the text is thrown as it is. */
const toInvalid = (error: unknown, path: string): unknown =>
  isSqlError(error) ? invalidField(path, error.message) : error
