import { readBinary, readInt, THRIFT, type ThriftField, thriftFields, thriftList } from './thrift-compact.ts'

/** A column, or what holds some, as the footer of a Parquet file names it (`SchemaElement` of `parquet.thrift`). */
export type SchemaElement = {
  readonly name: string
  /** How deep: 0 is the whole, 1 are the columns of a table. */
  readonly depth: number
  /** null: it holds others. */
  readonly physicalType: number | null
  /** Bytes of a value, where all have as many. */
  readonly length: number | null
  /** Of a decimal. */
  readonly precision: number | null
  /** Where the precision stands in the footer, once or twice. */
  readonly precisionsAt: readonly number[]
  /** Of a geometry: where that is said. */
  readonly geometryAt: { readonly start: number; readonly end: number } | null
}

/** Physical types (`Type`). */
export const PHYSICAL = { int32: 1, int64: 2, int96: 3, fixed: 7 } as const

const CONVERTED_DECIMAL = 5
/** Of the union `LogicalType`. */
const LOGICAL = { decimal: 5, geometry: 17, geography: 18 } as const

/** The elements of the list that begins at a place, in their order. Throws `RangeError`. */
export const readSchema = (footer: Buffer, at: number): readonly SchemaElement[] => {
  const { length, start } = thriftList(footer, at)
  const elements: SchemaElement[] = []
  /** How many of the children are still to come, of each that it is in. */
  const open: number[] = []
  let next = start
  for (let left = length; left > 0; left -= 1) {
    const { element, children, end } = readElement(footer, next, open.length)
    elements.push(element)
    next = end
    if (open.length > 0) open.push(open.pop()! - 1)
    if (children > 0) open.push(children)
    while (open.at(-1) === 0) open.pop()
  }
  return elements
}

const readElement = (footer: Buffer, at: number, depth: number) => {
  const fields = new Map<number, ThriftField>()
  const reading = thriftFields(footer, at)
  let next = reading.next()
  for (; next.done !== true; next = reading.next()) fields.set(next.value.id, next.value)
  const int = (id: number): number | null => {
    const field = fields.get(id)
    return field?.type === THRIFT.i32 ? readInt(footer, field.start).value : null
  }
  const name = fields.get(4)
  const logical = logicalOf(footer, fields.get(10))
  const isGeometry = logical?.id === LOGICAL.geometry || logical?.id === LOGICAL.geography
  const isDecimal = int(6) === CONVERTED_DECIMAL || logical?.id === LOGICAL.decimal
  const precisions = isDecimal ? [fields.get(8), precisionOf(footer, logical)].filter(field => field !== undefined) : []
  const element: SchemaElement = {
    name: name === undefined ? '' : readBinary(footer, name.start).toString('utf8'),
    depth,
    physicalType: int(1),
    length: int(2),
    precision: precisions.length === 0 ? null : readInt(footer, precisions[0]!.start).value,
    precisionsAt: precisions.map(({ start }) => start),
    geometryAt: isGeometry ? { start: fields.get(10)!.head, end: fields.get(10)!.end } : null,
  }
  return { element, children: int(5) ?? 0, end: next.value }
}

/** The one field of a union. */
const logicalOf = (footer: Buffer, union: ThriftField | undefined): ThriftField | undefined =>
  union === undefined ? undefined : [...thriftFields(footer, union.start)][0]

const precisionOf = (footer: Buffer, logical: ThriftField | undefined): ThriftField | undefined =>
  logical?.id === LOGICAL.decimal ? [...thriftFields(footer, logical.start)].find(({ id }) => id === 2) : undefined
