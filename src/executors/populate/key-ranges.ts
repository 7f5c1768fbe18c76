import { typeParts } from '../../model/type-parts.ts'
import { quoteIdentifier } from '../../warehouse/quote-identifier.ts'
import { quoteText } from '../../warehouse/quote-text.ts'

/** Rows that justify a step of their own. */
export const ROWS_OF_STEP = 1_000_000
export const MOST_RANGES = 64

/** A column whose value ranges can split a table's rows. */
export type RangeKey = {
  /** Quoted, as in SQL. */
  readonly column: string
  /** The column's type without `Nullable` and `LowCardinality`. */
  readonly type: string
  /** The integer type in which the engine stores its values: days, seconds, ticks. */
  readonly integer: string
  readonly isNullable: boolean
}

type Table = {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly sortingKey: string | null
}

/** The first columns of the sorting key, up to one that is an expression or is neither a time nor an integer. */
export const findRangeKeys = ({ columns, sortingKey }: Table): readonly RangeKey[] => {
  const keys: RangeKey[] = []
  for (const part of sortingKey === null ? [] : typeParts(sortingKey)) {
    const column = columns.find(({ name }) => part === name || part === quoteIdentifier(name))
    const [type, isNullable] = unwrap(column?.type ?? '')
    const integer = integerOf(type)
    if (column === undefined || integer === null) break
    keys.push({ column: quoteIdentifier(column.name), type, integer, isNullable })
  }
  return keys
}

const unwrap = (type: string): readonly [string, boolean] => {
  const [, wrapper, inside] = /^(Nullable|LowCardinality)\s*\(([\s\S]*)\)$/.exec(type.trim()) ?? []
  if (inside === undefined) return [type.trim(), false]
  const [inner, isNullable] = unwrap(inside)
  return [inner, isNullable || wrapper === 'Nullable']
}

const integerOf = (type: string): string | null => {
  if (/^U?Int(8|16|32|64)$/.test(type)) return type
  switch (/^\w+/.exec(type)?.[0]) {
    case 'Date':
      return 'UInt16'
    case 'Date32':
      return 'Int32'
    case 'DateTime':
      return 'UInt32'
    case 'DateTime64':
      return 'Int64'
    default:
      return null
  }
}

type Rows = {
  /** Quoted, as in SQL. */
  readonly table: string
  readonly condition: string
  readonly count: number
}

/**
 * SELECT of one row with the values that cut the rows into ranges of about equal size: a list of integers as texts, ascending, maybe with duplicates. Of many
 * rows it reads a sample from all over the table.
 */
export const cutsSql = (key: RangeKey, { table, condition, count }: Rows, ranges: number): string => {
  const levels = Array.from({ length: ranges - 1 }, (_, index) => (index + 1) / ranges)
  const each = `rowNumberInAllBlocks() % ${Math.ceil(count / MOST_LOOKED_AT)} = 0`
  const value = integerSql(key, `assumeNotNull(${VALUE})`)
  return `SELECT arrayMap(x -> toString(x), quantilesExact(${levels.join(', ')})(${value})) AS ${CUTS} FROM
    (SELECT ${key.column} AS ${VALUE} FROM ${table} WHERE ${condition} AND ${each}) WHERE isNotNull(${VALUE})`
}

/** The engine holds eight bytes for each. */
const MOST_LOOKED_AT = 4_000_000

/** SQL: the integer that the engine stores for a value of the column. */
export const integerSql = ({ type, integer }: RangeKey, value: string): string =>
  type === 'Date32' ? `toInt32(${value})` : `reinterpret(${value}, '${integer}')`

/** No user column can have this name. */
const VALUE = '`\tvalue`'
export const cutsColumn = '\tcuts'
const CUTS = quoteIdentifier(cutsColumn)

/**
 * One condition per range between these bounds. Exactly one holds for every row: the first range has no lower bound and includes NULL, the last has no upper
 * bound.
 */
export const rangeConditions = (key: RangeKey, bounds: readonly bigint[]): readonly string[] => {
  const { column, isNullable } = key
  const values = bounds.map(bound => valueSql(key, bound))
  return Array.from({ length: values.length + 1 }, (_, index) => {
    const [from, to] = [values[index - 1], values[index]]
    const conditions = [
      ...(from === undefined ? [] : [`${column} >= ${from}`]),
      ...(to === undefined ? [] : [`${column} < ${to}`]),
    ]
    const all = conditions.length === 0 ? '1' : conditions.join(' AND ')
    return index === 0 && isNullable && to !== undefined ? `(${all} OR isNull(${column}))` : `(${all})`
  })
}

/** Not as text: a local time may be ambiguous in its zone. The engine cannot reinterpret an integer as a Date32. */
const valueSql = ({ type, integer }: RangeKey, bound: bigint): string => {
  const value = `to${integer}('${bound}')`
  if (type === 'Date32') return `addDays(toDate32('1970-01-01'), ${value})`
  return type === integer ? value : `reinterpret(${value}, ${quoteText(type)})`
}
