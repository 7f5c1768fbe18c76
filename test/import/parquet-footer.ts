/** A field of Thrift's compact protocol (`thrift-compact-protocol.md` of apache/thrift): its type, and its bytes. */
type Field = { readonly type: number; readonly bytes: readonly number[] }

const varint = (value: bigint): readonly number[] =>
  value < 128n ? [Number(value)] : [Number(value & 127n) | 128, ...varint(value >> 7n)]
const integer = (type: 5 | 6, value: number | bigint): Field => ({ type, bytes: varint(BigInt(value) << 1n) })
const int = (value: number): Field => integer(5, value)
const long = (value: number | bigint): Field => integer(6, value)
const text = (value: string | Uint8Array): Field => ({ type: 8, bytes: [value.length, ...Buffer.from(value)] })
const list = (type: number, items: readonly Field[]): Field => ({
  type: 9,
  bytes: [(items.length << 4) | type, ...items.flatMap(({ bytes }) => bytes)],
})
/** `fields` by their numbers, in their order. */
const struct = (fields: Readonly<Record<number, Field>>): Field => {
  const numbers = Object.keys(fields).map(Number)
  const headed = numbers.flatMap((number, index) => [
    ((number - (numbers[index - 1] ?? 0)) << 4) | fields[number]!.type,
    ...fields[number]!.bytes,
  ])
  return { type: 12, bytes: [...headed, 0] }
}

type Made = {
  /** Values one after the other, as in a page; if some are null the column may be without any. */
  readonly values: readonly (Uint8Array | null)[]
  /** The number of rows that its footer claims. */
  readonly rows: bigint
  readonly name: string | Uint8Array
  /** What its values are: a physical type (`Type`), bytes of one where they are all as long, and what they mean (`ConvertedType`). */
  readonly type: number
  readonly length?: number
  readonly convertedType?: number
  readonly scale?: number
  readonly precision?: number
  /** The precision in the newer `LogicalType`. */
  readonly logicalPrecision?: number
  /** The number of identical columns, up to 14. */
  readonly columns?: number
}

/** A 64-bit number. */
export const int64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(value)
  return bytes
}

/** Physical types (`Type`). */
export const [INT64, INT96] = [2, 3]

/** Something that ends like a Parquet file, with only a footer. */
export const parquetOfFooter = (footer: Uint8Array): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(footer.length)
  return Buffer.concat([Buffer.from('PAR1'), footer, length, Buffer.from('PAR1')])
}

/** A Parquet file without rows, whose only Int64 column is nested in that many structs. */
export const parquetOfDepth = (depth: number): Buffer => {
  const holder = Buffer.from(struct({ 4: text('s'), 5: int(1) }).bytes)
  const leaf = Buffer.from(struct({ 1: int(INT64!), 3: int(0), 4: text('v') }).bytes)
  const head = Buffer.of(0x15, 2, 0x19, 0xf0 | 12, ...varint(BigInt(depth + 2)))
  // No rows, and no row groups.
  const rest = Buffer.of(0x16, 0, 0x19, 12, 0)
  return parquetOfFooter(Buffer.concat([head, Buffer.alloc((depth + 1) * holder.length, holder), leaf, rest]))
}

/** A Parquet file with an Int64 column and two rows, 1 and 2, whose footer may claim others. */
export const parquetThatClaims = (rows: bigint, name: string | Uint8Array = 'v'): Buffer =>
  parquetOf({ type: INT64, values: [int64(1n), int64(2n)], rows, name })

/** Whether each value is present: runs of one bit, preceded by their length. */
const levels = (values: readonly (Uint8Array | null)[]): Buffer => {
  const runs = values.flatMap(value => [2, value === null ? 0 : 1])
  return Buffer.concat([Buffer.of(runs.length, 0, 0, 0), Buffer.from(runs)])
}

/** A Parquet file with one column, built byte by byte (`parquet.thrift`), as no writer here makes it. */
export const parquetOf = ({ values, rows, name, type, length, ...more }: Made): Buffer => {
  const there = values.filter(value => value !== null)
  const isOptional = there.length < values.length
  const body = [...(isOptional ? levels(values) : []), ...Buffer.concat(there)]
  const header = struct({
    1: int(0),
    2: int(body.length),
    3: int(body.length),
    5: struct({ 1: int(values.length), 2: int(0), 3: int(3), 4: int(3) }),
  })
  const page = [...header.bytes, ...body]
  const size = long(page.length)
  const column = (called: string | Uint8Array): Field =>
    struct({
      2: long(4),
      3: struct({
        1: int(type),
        2: list(5, [int(0)]),
        3: list(8, [text(called)]),
        4: int(0),
        5: long(rows),
        6: size,
        7: size,
        9: long(4),
      }),
    })
  const leaf = (called: string | Uint8Array): Field =>
    struct({
      1: int(type),
      ...(length !== undefined && { 2: int(length) }),
      3: int(isOptional ? 1 : 0),
      4: text(called),
      ...(more.convertedType !== undefined && { 6: int(more.convertedType) }),
      ...(more.scale !== undefined && { 7: int(more.scale) }),
      ...(more.precision !== undefined && { 8: int(more.precision) }),
      ...(more.logicalPrecision !== undefined && {
        10: struct({ 5: struct({ 1: int(more.scale ?? 0), 2: int(more.logicalPrecision) }) }),
      }),
    })
  const names = Array.from({ length: more.columns ?? 1 }, (_, index) => (index === 0 ? name : `${name}_${index}`))
  const schema = [struct({ 4: text('schema'), 5: int(names.length) }), ...names.map(leaf)]
  const group = struct({ 1: list(12, names.map(column)), 2: size, 3: long(rows) })
  const footer = struct({ 1: int(1), 2: list(12, schema), 3: long(rows), 4: list(12, [group]) }).bytes
  const end = Buffer.alloc(4)
  end.writeUInt32LE(footer.length)
  return Buffer.concat([Buffer.from('PAR1'), Buffer.from(page), Buffer.from(footer), end, Buffer.from('PAR1')])
}
