import {
  readBinary,
  readStruct,
  THRIFT,
  type ThriftField,
  thriftList,
  writeBinary,
  writeListHead,
} from './thrift-compact.ts'

/** A field of Parquet's `FileMetaData`: what writers say about the file, by key. */
const KEY_VALUES = 5
/** More pairs than any writer writes. */
const MOST_PAIRS = 10_000

/** The footer with another value for a key. `change` receives the present one, or null. Throws `RangeError` for an invalid footer, and what `change` throws. */
export const withKeyValue = (footer: Buffer, key: string, change: (value: string | null) => string): Buffer => {
  const { fields } = readStruct(footer, 0)
  const found = fields.get(KEY_VALUES)
  const pairs = found === undefined ? [] : pairsOf(footer, found)
  const own = pairs.find(pair => pair.key === key)
  const others = pairs.filter(pair => pair !== own).map(({ start, end }) => footer.subarray(start, end))
  return withList(footer, [...fields.values()], [...others, writePair(key, change(own?.value ?? null))])
}

type Pair = { readonly key: string; readonly value: string | null; readonly start: number; readonly end: number }

const pairsOf = (footer: Buffer, { start, type }: ThriftField): readonly Pair[] => {
  if (type !== THRIFT.list) throw new RangeError('The metadata of a footer is no list.')
  const list = thriftList(footer, start)
  if (list.length > MOST_PAIRS) throw new RangeError('The metadata of a footer is too long.')
  const pairs: Pair[] = []
  for (let [at, left] = [list.start, list.length]; left > 0; left -= 1) {
    const { fields, end } = readStruct(footer, at)
    const textOf = (id: number): string | null => {
      const field = fields.get(id)
      return field?.type === THRIFT.binary ? readBinary(footer, field.start).toString('utf8') : null
    }
    pairs.push({ key: textOf(1) ?? '', value: textOf(2), start: at, end })
    at = end
  }
  return pairs
}

const writePair = (key: string, value: string): Buffer => {
  const head = Buffer.of(0x10 | THRIFT.binary)
  return Buffer.concat([head, writeBinary(Buffer.from(key)), head, writeBinary(Buffer.from(value)), Buffer.of(0)])
}

/** A field's header contains the difference between its number and the one before. */
const withList = (footer: Buffer, fields: readonly ThriftField[], pairs: readonly Buffer[]): Buffer => {
  const before = fields.filter(({ id }) => id < KEY_VALUES).at(-1)
  const behind = fields.find(({ id }) => id > KEY_VALUES)
  if (fields.some(({ id }, index) => index > 0 && id <= fields[index - 1]!.id) || (behind?.id ?? 0) - KEY_VALUES > 15)
    throw new RangeError('The fields of a footer are not in their order.')
  const head = (id: number, type: number, from: number): Buffer => Buffer.of(((id - from) << 4) | type)
  return Buffer.concat([
    footer.subarray(0, before?.end ?? 0),
    head(KEY_VALUES, THRIFT.list, before?.id ?? 0),
    writeListHead(pairs.length),
    ...pairs,
    ...(behind === undefined
      ? [Buffer.of(0)]
      : [head(behind.id, behind.type, KEY_VALUES), footer.subarray(behind.start)]),
  ])
}
