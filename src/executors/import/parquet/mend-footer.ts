import { type FileHandle, open } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { isPlainObject } from '../../../kernel/plain-object.ts'
import { END_BYTES, type FooterPlace, findFooter, readAt } from './footer-place.ts'
import { withKeyValue } from './key-values.ts'
import { PHYSICAL, readSchema, type SchemaElement } from './schema-elements.ts'
import { THRIFT, thriftFields } from './thrift-compact.ts'

/** How much of a footer to read; the schema is at its beginning. A longer one is not rewritten: all its row groups would have to be processed at once. */
const MOST_BYTES = 16 * 1024 * 1024
/** More geometry columns than any file has. They are kept in memory. */
const MOST_GEOMETRIES = 1_000
/** Elements of a schema between yields to the event loop. */
const ELEMENTS_AT_ONCE = 10_000

/** Field of `FileMetaData`. */
const SCHEMA = 2

/**
 * Puts into the footer of a Parquet file what the engine would miss:
 * - Decimals with more bytes than their precision needs (DECIMAL(9, 2) as INT64, which the format allows) get the precision of these bytes. The engine
 *   allocates only what the precision needs, and reads the memory next to it (ClickHouse#112659).
 * - Columns of type GEOMETRY get the metadata of GeoParquet instead, with the same bytes. The engine supports no other geometries.
 * Leaves a file alone whose footer cannot be read: the engine says why.
 */
export const mendFooter = async (path: string): Promise<void> => {
  await using file = await open(path, 'r+')
  const place = await findFooter(file)
  if (place === null) return
  try {
    const head = await readAt(file, place.start, Math.min(place.bytes, MOST_BYTES))
    const { isWidened, geometries } = await mendSchema(head)
    if (isWidened) await file.write(head, 0, head.length, place.start)
    if (geometries.length > 0 && place.bytes <= MOST_BYTES) await tellGeometries(file, place, geometries)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
}

type Mended = { readonly isWidened: boolean; readonly geometries: readonly SchemaElement[] }

/** Widens decimals and finds geometry columns. */
const mendSchema = async (footer: Buffer): Promise<Mended> => {
  const geometries: SchemaElement[] = []
  let isWidened = false
  let count = 0
  for (const element of schemaOf(footer)) {
    isWidened = widenDecimal(footer, element) || isWidened
    if (element.geometryAt !== null && element.depth === 1) geometries.push(element)
    if (geometries.length > MOST_GEOMETRIES) throw new RangeError('There are too many geometries.')
    count += 1
    if (count % ELEMENTS_AT_ONCE === 0) await setImmediate()
  }
  return { isWidened, geometries }
}

const schemaOf = (footer: Buffer): Iterable<SchemaElement> => {
  for (const { id, type, start } of thriftFields(footer, 0))
    if (id === SCHEMA && type === THRIFT.list) return readSchema(footer, start)
  return []
}

/** The digits of decimals up to these byte widths. The last is the largest number in one byte of the footer. */
const WIDTHS = [
  { bytes: 4, digits: 9 },
  { bytes: 8, digits: 18 },
  { bytes: 16, digits: 38 },
  { bytes: 32, digits: 63 },
] as const

/** In place: a number below 64 takes one byte. */
const widenDecimal = (footer: Buffer, element: SchemaElement): boolean => {
  const digits = digitsOf(element)
  const narrow = digits === null ? [] : element.precisions.filter(({ value }) => value >= 0 && value <= digits.needed)
  for (const { at } of narrow) footer[at] = digits!.stored * 2
  return narrow.length > 0
}

/** The digits that its bytes hold, and the most for which the engine allocates fewer bytes; null: not a number of a fixed width. */
const digitsOf = ({ physicalType, length }: SchemaElement): { stored: number; needed: number } | null => {
  const bytes = physicalType === PHYSICAL.int64 ? 8 : physicalType === PHYSICAL.fixed ? length : null
  const index = WIDTHS.findIndex(width => bytes !== null && bytes <= width.bytes)
  return index < 1 ? null : { stored: WIDTHS[index]!.digits, needed: WIDTHS[index - 1]!.digits }
}

const tellGeometries = async (
  file: FileHandle,
  { start, bytes }: FooterPlace,
  geometries: readonly SchemaElement[],
): Promise<void> => {
  const ranges = geometries.map(({ geometryAt }) => geometryAt!)
  const footer = withoutRanges(await readAt(file, start, bytes), ranges)
  const mended = withKeyValue(footer, 'geo', said => withGeometries(said, geometries))
  const end = Buffer.alloc(END_BYTES, 'PAR1')
  end.writeUInt32LE(mended.length)
  await file.write(Buffer.concat([mended, end]), 0, mended.length + END_BYTES, start)
  await file.truncate(start + mended.length + END_BYTES)
}

type Range = { readonly start: number; readonly end: number }

/** Removes fields that are the last of their structs. */
const withoutRanges = (footer: Buffer, ranges: readonly Range[]): Buffer => {
  if (ranges.some(({ end }) => footer[end] !== 0)) throw new RangeError('A field is not the last.')
  const starts = [0, ...ranges.map(({ end }) => end)]
  return Buffer.concat(starts.map((start, index) => footer.subarray(start, ranges[index]?.start)))
}

/** The file's own GeoParquet metadata, and the columns that are missing there. */
const withGeometries = (said: string | null, geometries: readonly SchemaElement[]): string => {
  const metadata = said === null ? { version: '1.1.0', primary_column: geometries[0]!.name } : readObject(said)
  const known = 'columns' in metadata && isPlainObject(metadata.columns) ? metadata.columns : {}
  const own = Object.fromEntries(geometries.map(({ name }) => [name, { encoding: 'WKB', geometry_types: [] }]))
  return JSON.stringify({ ...metadata, columns: { ...own, ...known } })
}

const readObject = (text: string): object => {
  try {
    const value: unknown = JSON.parse(text)
    if (isPlainObject(value)) return value
  } catch {
    // Thrown below.
  }
  throw new RangeError('The metadata of GeoParquet is no object.')
}
