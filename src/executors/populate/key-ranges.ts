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

/** The first column of the sorting key, when that is a column as it is, of times or integers; null: it is something else. */
export const findRangeKey = ({ columns, sortingKey }: Table): RangeKey | null => {
  const first = sortingKey === null ? undefined : typeParts(sortingKey)[0]
  const column = columns.find(({ name }) => first === name || first === quoteIdentifier(name))
  if (column === undefined) return null
  const [type, isNullable] = unwrap(column.type)
  const integer = integerOf(type)
  return integer === null ? null : { column: quoteIdentifier(column.name), type, integer, isNullable }
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

/** The least and the greatest value, as the integers they are, in a SELECT of one row; null of a table without values. */
export const boundsSql = (key: RangeKey, table: string): string => {
  const bound = (name: 'min' | 'max'): string => {
    const value = `assumeNotNull(${name}(${VALUE}))`
    const integer = key.type === 'Date32' ? `toInt32(${value})` : `reinterpret(${value}, '${key.integer}')`
    return `if(count(${VALUE}) = 0, NULL, toString(${integer}))`
  }
  return `SELECT ${bound('min')} AS least, ${bound('max')} AS greatest FROM (SELECT ${key.column} AS ${VALUE} FROM ${table})`
}

/** No column of anybody's is called so, nor like the ones of the answer where it is read. */
const VALUE = '`\tvalue`'

/** Where one range ends and the next begins, ascending; as many ranges of equal width as that, or fewer: none is empty of integers. */
export const cutRange = (least: bigint, greatest: bigint, ranges: number): readonly bigint[] => {
  const width = greatest - least + 1n
  const count = BigInt(ranges) < width ? BigInt(ranges) : width
  return Array.from({ length: Number(count) - 1 }, (_, index) => least + (width * BigInt(index + 1)) / count)
}

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
