import { type Column, type DataSource, quarantineOf } from '../../model/data-source.ts'
import { quoteIdentifier } from '../../warehouse/quote-identifier.ts'
import { quoteText } from '../../warehouse/quote-text.ts'

/** A table name qualified with its database, quoted. */
export const qualified = (database: string, name: string): string =>
  `${quoteIdentifier(database)}.${quoteIdentifier(name)}`

/**
 * An acknowledged row must survive a power cut. By default the engine leaves flushing to the operating system, even for merged or mutated parts, while the next
 * write removes the parts they were made from. Keys may be nullable.
 */
const SETTINGS =
  'fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, allow_nullable_key = 1'

/** Stop the engine from merging, from refusing rows because it does not merge, and from rewriting parts when it computes a new TTL. */
const UNMERGED = {
  max_bytes_to_merge_at_min_space_in_pool: 1,
  max_bytes_to_merge_at_max_space_in_pool: 1,
  max_number_of_merges_with_ttl_in_pool: 0,
  materialize_ttl_recalculate_only: 1,
  parts_to_delay_insert: 1_000_000,
  parts_to_throw_insert: 1_000_000,
}

/** Marks a table as ours, and names its data source. */
export const commentOf = (dataSource: Pick<DataSource, 'id'>): string => dataSource.id

/**
 * Creates the table of a data source. Types, engine and expressions have been checked.
 * - `unmerged`: rows stay as written until `mergeSql` is run. By default the engine merges rows, and removes expired ones.
 * - `ifMissing`: an existing table is kept.
 */
export const createTableSql = (
  database: string,
  dataSource: DataSource,
  { unmerged = false, ifMissing = false } = {},
): string => {
  const { name, columns, engine, sortingKey, partitionKey, ttl } = dataSource
  return [
    `CREATE TABLE ${ifMissing ? 'IF NOT EXISTS ' : ''}${qualified(database, name)} (${columns.map(columnSql).join(', ')})`,
    `ENGINE = ${engine}`,
    partitionKey === null ? '' : `PARTITION BY (${partitionKey})`,
    `ORDER BY ${sortingKey === null ? 'tuple()' : `(${sortingKey})`}`,
    ttl === null ? '' : `TTL ${ttl}`,
    `SETTINGS ${SETTINGS}${unmerged ? `, ${assignments(UNMERGED)}` : ''}`,
    `COMMENT '${commentOf(dataSource)}'`,
  ]
    .filter(part => part !== '')
    .join(' ')
}

const assignments = (settings: Readonly<Record<string, number>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}`)
    .join(', ')

/** From now on rows stay as written, as in a table created with `unmerged`. */
export const keepUnmergedSql = (table: string): string => `ALTER TABLE ${table} MODIFY SETTING ${assignments(UNMERGED)}`

/** From now on the engine merges the rows of a table created with `unmerged`. */
export const mergeSql = (database: string, name: string): string =>
  `ALTER TABLE ${qualified(database, name)} RESET SETTING ${Object.keys(UNMERGED).join(', ')}`

/** An alias for a table in another database, under the same name. */
export const createAliasSql = (database: string, of: { readonly database: string; readonly name: string }): string =>
  `CREATE TABLE ${qualified(database, of.name)} ENGINE = Alias(${quoteIdentifier(of.database)}, ${quoteIdentifier(of.name)})`

/** Links all parts of a table into another, possibly in another database, without copying. Both names must be quoted. */
export const attachAllSql = (into: string, from: string): string =>
  `ALTER TABLE ${into} ATTACH PARTITION ALL FROM ${from}`

export const columnSql = (column: Column): string => {
  const value = defaultSql(column)
  return `${quoteIdentifier(column.name)} ${column.type}${value === null ? '' : ` DEFAULT ${value}`}`
}

/** Types of numbers that a literal of the engine, an integer of 64 bits or a double, may not hold exactly. */
const NO_LITERAL = /\b(?:BFloat16|Float32|Decimal\w*|U?Int(?:128|256))\b/

/** A column's default as a value that can be cast to its type, for these types as a text; null: it has none. */
export const defaultSql = ({ type, default: given }: Pick<Column, 'type' | 'default'>): string | null => {
  if (given === undefined) return null
  return NO_LITERAL.test(type) && !given.trimStart().startsWith("'") ? quoteText(given) : given
}

/** Idempotent. */
export const addColumnsSql = (database: string, table: string, columns: readonly string[]): string =>
  `ALTER TABLE ${qualified(database, table)} ${columns.map(column => `ADD COLUMN IF NOT EXISTS ${column}`).join(', ')}`

/** A unique number for each quarantined row. Not included in `SELECT *`. */
export const QUARANTINE_NUMBER = 'c__row'
/** The sorting key of a quarantine: pages are read in this order. */
export const QUARANTINE_KEY = `insertion_date, ${QUARANTINE_NUMBER}`

/** Creates the table for rows that do not fit, as text. Column names are those of the quarantine in the Tinybird document. */
export const createQuarantineSql = (
  database: string,
  dataSource: DataSource,
  keptMs: number,
  table = quarantineOf(dataSource.name),
): string =>
  [
    `CREATE TABLE IF NOT EXISTS ${qualified(database, table)} (`,
    [...dataSource.columns.map(quarantineColumnSql), ...QUARANTINE_COLUMNS].join(', '),
    `) ENGINE = MergeTree ORDER BY (${QUARANTINE_KEY})`,
    keptMs === Number.POSITIVE_INFINITY ? '' : `TTL insertion_date + toIntervalSecond(${Math.ceil(keptMs / 1000)})`,
    `SETTINGS ${SETTINGS} COMMENT '${commentOf(dataSource)}'`,
  ].join(' ')

export const quarantineColumnSql = ({ name }: Column): string => `${quoteIdentifier(name)} Nullable(String)`

const QUARANTINE_COLUMNS = [
  'c__error_column Array(String)',
  'c__error Array(String)',
  'c__import_id String',
  'insertion_date DateTime',
  `${QUARANTINE_NUMBER} UInt64 MATERIALIZED generateSnowflakeID()`,
]
