import { type FieldError, invalidField, refuseFields } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import { columnNameFault, defaultFault, engineFault, nameFault, typeFault } from '../../model/data-rules.ts'
import type { DataSource } from '../../model/data-source.ts'
import { withoutPrefix } from '../../warehouse/guard/without-prefix.ts'
import { quoteText } from '../../warehouse/quote-text.ts'
import { isSqlError, WarehouseError } from '../../warehouse/warehouse.ts'
import type { Data } from '../data.ts'
import { isPrintedAlike } from './printed-alike.ts'
import { createTableSql, defaultSql, qualified } from './table-ddl.ts'

/** From the limits in the Tinybird document. */
const MOST_COLUMNS = 500

/**
 * Checks a data source, by passing its expressions to the guard and creating a temporary table. Returns it with the approved expressions. Throws `invalid` with
 * every wrong field, by its name in the API.
 */
export const checkDataSource = async (data: Data, workspace: string, given: DataSource): Promise<DataSource> => {
  refuseFields(plainFaults(given))
  const [sortingKey, partitionKey, ttl] = await Promise.all([
    checkExpression(data, workspace, 'sorting_key', given.sortingKey),
    checkExpression(data, workspace, 'partition_key', given.partitionKey),
    checkExpression(data, workspace, 'ttl', given.ttl),
  ])
  await checkDefaults(data, workspace, given)
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

/** Faults that can be found without a table. Paths begin with `schema`. */
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
    add(`schema.${index}.default`, defaultFault(column))
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
    // Checked as one tuple: a key may be a list of expressions.
    if (path === 'ttl') return await warehouse.checkExpression({ workspace, sql })
    return withoutTuple(await warehouse.checkExpression({ workspace, sql: `${AS_TUPLE}${sql})` }))
  } catch (error) {
    throw toInvalid(path === 'ttl' ? error : withoutPrefix(error, AS_TUPLE), path)
  }
}

/** Refuses defaults that the engine does not cast to their type. */
const checkDefaults = async ({ warehouse }: Data, workspace: string, { columns }: DataSource): Promise<void> => {
  for (const [index, column] of columns.entries()) {
    const value = defaultSql(column)
    if (value === null) continue
    try {
      // First alone, for a message about it and not about the statement.
      await warehouse.checkExpression({ workspace, sql: value })
      await warehouse.rows({ workspace, sql: `SELECT accurateCast(${value}, ${quoteText(column.type)}) AS value` })
    } catch (error) {
      throw toInvalid(error, `schema.${index}.default`)
    }
  }
}

const AS_TUPLE = 'tuple('

/** The list inside the tuple; engines print `tuple(a, b)` as `(a, b)`. */
const withoutTuple = (text: string): string =>
  text
    .replace(/^tuple/, '')
    .trim()
    .replace(/^\(/, '')
    .replace(/\)$/, '')

/** Lets the engine check types, table engine, keys and TTL. */
const tryTable = async (data: Data, workspace: string, dataSource: DataSource): Promise<void> => {
  const fault = await tableFault(data, workspace, dataSource)
  if (fault === null) return
  const isTtl = dataSource.ttl !== null && (await tableFault(data, workspace, { ...dataSource, ttl: null })) === null
  throw invalidField(isTtl ? 'ttl' : 'schema', fault)
}

/** null: the engine accepts the table. */
const tableFault = async ({ warehouse }: Data, workspace: string, dataSource: DataSource): Promise<string | null> => {
  const database = warehouse.database(workspace)
  const name = `stg_try_${newId().replaceAll('-', '')}`
  const sql = createTableSql(database, { ...dataSource, name })
  try {
    await mustBeKept(warehouse, workspace, sql)
    await warehouse.command({ workspace, sql })
    return null
  } catch (error) {
    if (isSqlError(error)) return error.message
    throw error
  } finally {
    await warehouse.command({ workspace, sql: `DROP TABLE IF EXISTS ${qualified(database, name)} SYNC` })
  }
}

/**
 * The engine stores a table's definition as it prints it, and parses that at start. If it omits quotes that a name needs, it would read another key, or not
 * start at all. Throws `WarehouseError`.
 */
const mustBeKept = async (warehouse: Data['warehouse'], workspace: string, sql: string): Promise<void> => {
  if (await isPrintedAlike(warehouse, workspace, sql)) return
  throw new WarehouseError(
    'sql_error',
    'The engine would not read this table again as it is: a key or the TTL names a column that is called as a word of SQL is (not, true, nan). Call the column otherwise.',
  )
}

/** Converts faults in the SQL; returns other errors unchanged. */
const toInvalid = (error: unknown, path: string): unknown =>
  isSqlError(error) ? invalidField(path, error.message) : error
