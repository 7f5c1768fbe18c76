/** A struct field in Thrift's compact protocol (`thrift-compact-protocol.md` of apache/thrift): `head` is where it begins, `start` where its value does. */
export type ThriftField = {
  readonly id: number
  readonly type: number
  readonly head: number
  readonly start: number
  readonly end: number
}

/** Types of values. For a boolean, the type is the value. */
export const THRIFT = { i32: 5, binary: 8, list: 9, struct: 12 } as const
const [TRUE, FALSE, BYTE, I64, DOUBLE, SET, MAP, UUID] = [1, 2, 3, 6, 7, 10, 11, 13]

/** The fields of the struct at a position, one at a time. Reads nothing after the last one requested. Throws `RangeError` if it is invalid. */
export function* thriftFields(bytes: Buffer, from: number): Generator<ThriftField> {
  for (let field = fieldAt(bytes, from, 0); field !== null; field = fieldAt(bytes, field.end, field.id)) yield field
}

/** More than any struct of Parquet has. */
const MOST_FIELDS = 100

/**
 * The fields of a struct by number, in their order, and where it ends. Throws `RangeError`, also for more fields than a struct has: a footer has room for
 * millions, and each takes memory.
 */
export const readStruct = (bytes: Buffer, at: number): { fields: ReadonlyMap<number, ThriftField>; end: number } => {
  const fields = new Map<number, ThriftField>()
  let end = at
  for (const field of thriftFields(bytes, at)) {
    if (fields.size === MOST_FIELDS || fields.has(field.id))
      throw new RangeError('A struct of Thrift has too many fields.')
    fields.set(field.id, field)
    end = field.end
  }
  return { fields, end: end + 1 }
}

/** null: the struct ends here. `before` is the previous field's number. */
const fieldAt = (bytes: Buffer, head: number, before: number): ThriftField | null => {
  const byte = byteAt(bytes, head)
  if (byte === 0) return null
  const [delta, type] = [byte >> 4, byte & 15]
  const { value: id, end: start } = delta === 0 ? readInt(bytes, head + 1) : { value: before + delta, end: head + 1 }
  return { id, type, head, start, end: endOf(bytes, type, start) }
}

/** The type and number of a list's items, and where they begin. */
export const thriftList = (bytes: Buffer, at: number): { type: number; length: number; start: number } => {
  const head = byteAt(bytes, at)
  if (head >> 4 !== 15) return { type: head & 15, length: head >> 4, start: at + 1 }
  const { value, end } = readVarint(bytes, at + 1)
  return { type: head & 15, length: value, start: end }
}

/** An integer of 16 to 64 bits, as far as a double can hold it. */
export const readInt = (bytes: Buffer, at: number): { value: number; end: number } => {
  const { value, end } = readVarint(bytes, at)
  return { value: value % 2 === 0 ? value / 2 : -(value + 1) / 2, end }
}

export const readBinary = (bytes: Buffer, at: number): Buffer => {
  const { value, end } = readVarint(bytes, at)
  return bytes.subarray(end, end + value)
}

/** Puts its length before it. */
export const writeBinary = (value: Buffer): Buffer => Buffer.concat([writeVarint(value.length), value])

/** The header of a list of structs. */
export const writeListHead = (length: number): Buffer =>
  Buffer.concat([Buffer.of(0xf0 | THRIFT.struct), writeVarint(length)])

const writeVarint = (value: number): Buffer => {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return Buffer.of(...bytes, rest)
}

const byteAt = (bytes: Buffer, at: number): number => {
  const byte = bytes[at]
  if (byte === undefined) throw new RangeError('A struct of Thrift ends too early.')
  return byte
}

const readVarint = (bytes: Buffer, from: number): { value: number; end: number } => {
  let value = 0
  for (let [at, unit] = [from, 1]; ; at += 1, unit *= 128) {
    const byte = byteAt(bytes, at)
    value += (byte & 127) * unit
    if (byte < 128) return { value, end: at + 1 }
    if (at - from > 9) throw new RangeError('A number of Thrift is too long.')
  }
}

const endOf = (bytes: Buffer, type: number, at: number): number => {
  switch (type) {
    case TRUE:
    case FALSE:
      return at
    case BYTE:
      return at + 1
    case DOUBLE:
      return at + 8
    case UUID:
      return at + 16
    case THRIFT.binary: {
      const { value, end } = readVarint(bytes, at)
      return end + value
    }
    case THRIFT.list:
    case SET:
      return endOfItems(bytes, thriftList(bytes, at))
    case MAP:
      return endOfMap(bytes, at)
    case THRIFT.struct:
      return endOfStruct(bytes, at)
    default:
      if (type < 4 || type > I64) throw new RangeError('A type of Thrift that is none.')
      return readVarint(bytes, at).end
  }
}

/** After the last field of a struct. */
const endOfStruct = (bytes: Buffer, from: number): number => {
  let at = from
  for (let field = fieldAt(bytes, at, 0); field !== null; field = fieldAt(bytes, at, field.id)) at = field.end
  return at + 1
}

/** In lists and maps, a boolean takes a byte. */
const endOfItem = (bytes: Buffer, type: number, at: number): number =>
  type === TRUE || type === FALSE ? at + 1 : endOf(bytes, type, at)

const endOfItems = (bytes: Buffer, { type, length, start }: ReturnType<typeof thriftList>): number => {
  let at = start
  for (let left = length; left > 0; left -= 1) {
    at = endOfItem(bytes, type, at)
    if (at > bytes.length) throw new RangeError('A list of Thrift ends too early.')
  }
  return at
}

const endOfMap = (bytes: Buffer, from: number): number => {
  const { value: length, end } = readVarint(bytes, from)
  if (length === 0) return end
  const types = byteAt(bytes, end)
  let at = end + 1
  for (let left = length; left > 0; left -= 1) {
    at = endOfItem(bytes, types & 15, endOfItem(bytes, types >> 4, at))
    if (at > bytes.length) throw new RangeError('A map of Thrift ends too early.')
  }
  return at
}
