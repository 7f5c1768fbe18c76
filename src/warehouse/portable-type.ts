import { typeParts } from '../model/type-parts.ts'

export type ColumnarFormat = 'arrow' | 'parquet'

/**
 * The ClickHouse type to cast a column to, so that other readers of Arrow or Parquet get its values; the same type if no cast is needed. By itself the engine
 * writes a DateTime as a bare number, Enum names as numbers, and UUIDs, addresses and large integers as bytes, and polars refuses the whole file.
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
    // Not every type can be in a dictionary.
    case 'LowCardinality':
      return unlessSame(type, parts[0]!, within)
    // The aggregate (a sum, a maximum) has the type of its values.
    case 'SimpleAggregateFunction':
      return unlessSame(type, parts[1]!, within)
    case 'DateTime':
      return format === 'parquet' ? type : `DateTime64(${['0', ...parts].join(', ')})`
    case 'Decimal':
      return Number(parts[0]) > LONGEST_DECIMAL ? 'String' : type
    // Nullable, because these types can hold NULL, which a plain String would turn into an empty text.
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
  // They may be negative, or exceed a day. Both formats have only times of day, and readers turn others into null.
  ...['Time', 'Time64'],
])

/** In digits. Only the engine itself can read 256-bit decimals. */
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
