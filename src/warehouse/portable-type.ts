import { typeParts } from '../model/type-parts.ts'

export type ColumnarFormat = 'arrow' | 'parquet'

/**
 * The type of ClickHouse that a column is to be written as, so that others read from Arrow or Parquet what it holds: the
 * engine writes a DateTime as a bare number, names of an Enum as their numbers, and UUIDs, addresses and large integers as
 * bytes, where polars stops at the first of them. The same type where nothing is to be done.
 */
export const portableType = (type: string, format: ColumnarFormat): string => {
  const [, name = type, inside] = /^(\w+)\s*(?:\(([\s\S]*)\))?$/.exec(type.trim()) ?? []
  const parts = inside === undefined ? [] : typeParts(inside)
  const within = (part: string): string => portableType(part, format)
  switch (name) {
    case 'Nullable':
    case 'Array':
    case 'Map':
      return `${name}(${parts.map(within).join(', ')})`
    case 'Tuple':
    case 'Nested':
      return parts.length === 0 ? type : `${name}(${parts.map(part => portableElement(part, within)).join(', ')})`
    // Not every type may be in a dictionary.
    case 'LowCardinality':
      return unlessSame(type, parts[0]!, within)
    // A sum, a maximum: a value of the type that it is of.
    case 'SimpleAggregateFunction':
      return unlessSame(type, parts[1]!, within)
    case 'DateTime':
      return format === 'parquet' ? type : `DateTime64(${['0', ...parts].join(', ')})`
    case 'Decimal':
      return Number(parts[0]) > LONGEST_DECIMAL ? 'String' : type
    // A text alone would be empty for NULL, which these hold.
    case 'Dynamic':
    case 'Variant':
    case 'Geometry':
      return 'Nullable(String)'
    case 'QBit':
      return `Array(${within(parts[0]!)})`
    case 'BFloat16':
      return 'Float32'
    default:
      if (name.startsWith('Interval')) return 'Int64'
      return AS_TEXT.has(name) || (format === 'parquet' && name === 'Nothing') ? 'String' : type
  }
}

const AS_TEXT: ReadonlySet<string> = new Set([
  ...['UUID', 'IPv4', 'IPv6', 'Enum8', 'Enum16', 'Int128', 'Int256', 'UInt128', 'UInt256'],
  'JSON',
  // They may be negative, or longer than a day: both formats have times of a day alone, and readers make null of others.
  ...['Time', 'Time64'],
])

/** Digits; those of 256 bits are read by nobody but the engine itself. */
const LONGEST_DECIMAL = 38

const unlessSame = (type: string, inner: string, within: (part: string) => string): string => {
  const portable = within(inner)
  return portable === inner ? type : portable
}

/** `Int32`, or `name Int32`. */
const portableElement = (element: string, within: (part: string) => string): string => {
  const [, name, type] = /^(`(?:[^`\\]|\\.)*`|\w+)\s+(\S[\s\S]*)$/.exec(element) ?? []
  return type === undefined ? within(element) : `${name} ${within(type)}`
}
