import { readBinary, readInt, readStruct, THRIFT, type ThriftField, thriftList } from './thrift-compact.ts'

/** A column, or a group of them, in a Parquet footer (`SchemaElement` of `parquet.thrift`). */
export type SchemaElement = {
  readonly name: string
  /** 0: the whole; 1: the columns of the table. */
  readonly depth: number
  /** null: a group. */
  readonly physicalType: number | null
  /** Bytes of a value, if all have the same size. */
  readonly length: number | null
  /** A decimal's precision, which may be stated twice, and its position in the footer. */
  readonly precisions: readonly { readonly value: number; readonly at: number }[]
  /** Where the footer says that it is a geometry. */
  readonly geometryAt: { readonly start: number; readonly end: number } | null
}

/** Physical types (`Type`). */
export const PHYSICAL = { int32: 1, int64: 2, int96: 3, fixed: 7 } as const

const CONVERTED_DECIMAL = 5
/** Fields of the union `LogicalType`. */
const LOGICAL = { decimal: 5, geometry: 17, geography: 18 } as const

/** The elements of the list at a position, one at a time, because there may be millions. Throws `RangeError`. */
export function* readSchema(footer: Buffer, at: number): Generator<SchemaElement> {
  const { length, start } = thriftList(footer, at)
  /** The children that remain in each enclosing element. */
  const open: number[] = []
  let next = start
  for (let left = length; left > 0; left -= 1) {
    const { element, children, end } = readElement(footer, next, open.length)
    yield element
    next = end
    if (open.length > 0) open.push(open.pop()! - 1)
    if (children > 0) open.push(children)
    while (open.at(-1) === 0) open.pop()
  }
}

const readElement = (footer: Buffer, at: number, depth: number) => {
  const { fields, end } = readStruct(footer, at)
  const int = (id: number): number | null => {
    const field = fields.get(id)
    return field?.type === THRIFT.i32 ? readInt(footer, field.start).value : null
  }
  const name = fields.get(4)
  const logical = fields.get(10)
  const kinds = logical?.type === THRIFT.struct ? readStruct(footer, logical.start).fields : null
  const isGeometry = kinds?.has(LOGICAL.geometry) || kinds?.has(LOGICAL.geography)
  const decimal = kinds?.get(LOGICAL.decimal)
  const isDecimal = decimal !== undefined || int(6) === CONVERTED_DECIMAL
  const precisions = isDecimal ? [fields.get(8), precisionOf(footer, decimal)] : []
  const element: SchemaElement = {
    name: name === undefined ? '' : readBinary(footer, name.start).toString('utf8'),
    depth,
    physicalType: int(1),
    length: int(2),
    precisions: precisions.flatMap(field =>
      field?.type === THRIFT.i32 ? [{ value: readInt(footer, field.start).value, at: field.start }] : [],
    ),
    geometryAt: logical !== undefined && isGeometry ? { start: logical.head, end: logical.end } : null,
  }
  return { element, children: int(5) ?? 0, end }
}

const precisionOf = (footer: Buffer, decimal: ThriftField | undefined): ThriftField | undefined =>
  decimal?.type === THRIFT.struct ? readStruct(footer, decimal.start).fields.get(2) : undefined
