import { typeParts } from '../../model/type-parts.ts'
import { quoteIdentifier } from '../../warehouse/quote-identifier.ts'
import { quoteText } from '../../warehouse/quote-text.ts'

/** Rows that are worth a step of their own. */
export const ROWS_OF_STEP = 1_000_000
export const MOST_RANGES = 64

/** A column by whose ranges rows can be told apart. */
export type RangeKey = {
  /** As it stands in SQL. */
  readonly column: string
  /** Of the column, without what is around it. */
  readonly type: string
  /** The integer that its values are inside of the engine: days, seconds, ticks. */
  readonly integer: string
  readonly isNullable: boolean
}

type Table = {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly sortingKey: string | null
}

/** The columns that the sorting key begins with, as far as they are columns as they are, of times or integers. */
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
  /** As it stands in SQL. */
  readonly table: string
  readonly condition: string
  readonly count: number
}

/**
 * Values between ranges of about as many rows each, as the integers they are, in a SELECT of one row: a list of texts, ascending, in which one may be there more than
 * once. Of many rows a part is looked at, in which all of the table is.
 */
export const cutsSql = (key: RangeKey, { table, condition, count }: Rows, ranges: number): string => {
  const levels = Array.from({ length: ranges - 1 }, (_, index) => (index + 1) / ranges)
  const each = `rowNumberInAllBlocks() % ${Math.ceil(count / MOST_LOOKED_AT)} = 0`
  const value = integerSql(key, `assumeNotNull(${VALUE})`)
  return `SELECT arrayMap(x -> toString(x), quantilesExact(${levels.join(', ')})(${value})) AS ${CUTS} FROM
    (SELECT ${key.column} AS ${VALUE} FROM ${table} WHERE ${condition} AND ${each}) WHERE isNotNull(${VALUE})`
}

/** Eight bytes each are held of them. */
const MOST_LOOKED_AT = 4_000_000

/** What a value of the column is inside of the engine. */
export const integerSql = ({ type, integer }: RangeKey, value: string): string =>
  type === 'Date32' ? `toInt32(${value})` : `reinterpret(${value}, '${integer}')`

/** No column of anybody's is called so. */
const VALUE = '`\tvalue`'
export const cutsColumn = '\tcuts'
const CUTS = quoteIdentifier(cutsColumn)

/**
 * A condition for each range between these bounds, of which exactly one holds for every row: the first is open below and has the rows
 * without a value, the last is open above.
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

/** Not as a text: one of a time may mean two in its zone. Of a Date32 the engine makes none of an integer. */
const valueSql = ({ type, integer }: RangeKey, bound: bigint): string => {
  const value = `to${integer}('${bound}')`
  if (type === 'Date32') return `addDays(toDate32('1970-01-01'), ${value})`
  return type === integer ? value : `reinterpret(${value}, ${quoteText(type)})`
}
