import { open } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { ImportFailure } from '../import-failure.ts'
import { findFooter, readAt } from './footer-place.ts'
import { THRIFT } from './thrift-compact.ts'

/** How much of a footer to check. What follows is not checked: there is room for hundreds of thousands of columns of row groups before it. */
const MOST_BYTES = 16 * 1024 * 1024

/** Deeper than any Parquet footer. */
const MOST_DEEP = 32

/** Steps between yields to the event loop. */
const AT_ONCE = 50_000

const [BYTE, DOUBLE, SET, MAP, UUID] = [3, 7, 10, 11, 13]

/**
 * The minimum size, in bytes, of a list item for which the engine needs hundreds: elements of the schema, row groups, and their columns. Keyed by the field
 * numbers that lead there (`parquet.thrift`).
 */
const LEAST_BYTES: Readonly<Record<string, number>> = { '2': 5, '4': 7, '4,1': 20 }

/** Where the list of row groups is. */
const ROW_GROUPS = '4'

/**
 * Their ordinals have 16 bits (`parquet.thrift`), and writers in Rust refuse more. With a hundred thousand of two rows each, the engine took a minute and a
 * half and did not heed a cancel; with this many it takes seconds.
 */
const MOST_ROW_GROUPS = 2 ** 15 - 1

/** A struct being read, or the rest of a list. */
type Open = { field: number; readonly types: readonly number[]; left: number }

/**
 * Looks for lists in a Parquet footer that claim more items than there is room for: the engine allocates all claimed items before it reads the first, past all
 * its limits, and then miscounts its memory. Also refuses too many row groups. Throws `ImportFailure` `content_unreadable`.
 */
export const checkFooter = async (path: string): Promise<void> => {
  await using file = await open(path)
  const place = await findFooter(file)
  if (place === null) return
  const footer = await readAt(file, place.start, Math.min(place.bytes, MOST_BYTES))
  try {
    for (const _ of checkCounts(footer, place.bytes)) await setImmediate()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new ImportFailure(
      'content_unreadable',
      `The content cannot be read as Parquet: in its footer ${error.message}`,
    )
  }
}

/** Walks through a footer of `total` bytes, or its beginning. Yields now and then. */
function* checkCounts(footer: Buffer, total: number): Generator<void> {
  const open: Open[] = [{ field: 0, types: [], left: 0 }]
  let at = 0

  const byte = (): number => {
    at += 1
    return footer[at - 1] ?? 0
  }
  const varint = (): number => {
    for (let [value, unit] = [0, 1]; ; unit *= 128) {
      const next = byte()
      value += (next & 127) * unit
      if (next < 128 || at > footer.length) return value
    }
  }
  const skip = (length: number): void => {
    at += length
  }
  const items = (length: number, types: readonly number[], leastBytes: number): void => {
    if (length > 0 && length * leastBytes > total - at)
      throw new RangeError('a list claims more items than there is room for.')
    open.push({ field: 0, types, left: length * types.length })
  }
  const list = (): void => {
    const head = byte()
    const [type, length] = [head & 15, head >> 4 === 15 ? varint() : head >> 4]
    const path = open
      .filter(({ field }) => field > 0)
      .map(({ field }) => field)
      .join()
    items(length, [type], type === THRIFT.struct ? (LEAST_BYTES[path] ?? 1) : 1)
    if (path === ROW_GROUPS && length > MOST_ROW_GROUPS)
      throw new RangeError(
        `there are ${length} row groups; a file may have ${MOST_ROW_GROUPS}. Write more rows into each.`,
      )
  }
  const map = (): void => {
    const length = varint()
    if (length === 0) return
    const types = byte()
    items(length, [types >> 4, types & 15], 1)
  }
  const value = (type: number, isItem: boolean): void => {
    if (type <= 2) at += isItem ? 1 : 0
    else if (type === BYTE) at += 1
    else if (type === DOUBLE) at += 8
    else if (type === UUID) at += 16
    else if (type === THRIFT.binary) skip(varint())
    else if (type === THRIFT.list || type === SET) list()
    else if (type === MAP) map()
    else if (type === THRIFT.struct) open.push({ field: 0, types: [], left: 0 })
    else varint()
  }

  for (let steps = 1; open.length > 0 && at < footer.length; steps++) {
    if (open.length > MOST_DEEP) throw new RangeError('values are nested too deep.')
    if (steps % AT_ONCE === 0) yield
    const inner = open.at(-1)!
    if (inner.types.length > 0) {
      if (inner.left === 0) open.pop()
      else value(inner.types[inner.left-- % inner.types.length]!, true)
      continue
    }
    const head = byte()
    if (head === 0) open.pop()
    else {
      inner.field = head >> 4 === 0 ? varint() / 2 : inner.field + (head >> 4)
      value(head & 15, false)
    }
  }
}
