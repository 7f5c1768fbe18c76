import { type FileHandle, open } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { END_BYTES, type FooterPlace, findFooter, readAt } from './footer-place.ts'
import { withKeyValue } from './key-values.ts'
import { PHYSICAL, readSchema, type SchemaElement } from './schema-elements.ts'
import { THRIFT, thriftFields } from './thrift-compact.ts'

/** Of a footer, of which the schema is at the beginning. One that is longer is not made anew: its row groups would have to be gone through at once. */
const MOST_BYTES = 16 * 1024 * 1024
/** More columns of geometries than anybody has: they are kept. */
const MOST_GEOMETRIES = 1_000
/** Of a schema, before others have their turn. */
const ELEMENTS_AT_ONCE = 10_000

/** A field of `FileMetaData`. */
const SCHEMA = 2

/**
 * Says in the footer of a Parquet file what the engine would not see otherwise:
 * - decimals that have more bytes than their precision needs (DECIMAL(9, 2) as INT64, which the format allows) get the precision of these bytes: the engine
 *   makes room for as many as the precision needs, and reads what is beside them (ClickHouse#112659);
 * - columns of the type GEOMETRY have the metadata of GeoParquet instead, with the same bytes: the engine knows of no other geometries.
 * A file whose footer cannot be read stays as it is: the engine says why.
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

/** Widens the decimals, and finds columns of geometries. */
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

/** By how many bytes they have at most: decimals of so many digits are in as many. The last is as many as a byte of the footer says. */
const WIDTHS = [
  { bytes: 4, digits: 9 },
  { bytes: 8, digits: 18 },
  { bytes: 16, digits: 38 },
  { bytes: 32, digits: 63 },
] as const

/** In its places: a number below 64 has one byte. */
const widenDecimal = (footer: Buffer, element: SchemaElement): boolean => {
  const digits = digitsOf(element)
  const narrow = digits === null ? [] : element.precisions.filter(({ value }) => value >= 0 && value <= digits.needed)
  for (const { at } of narrow) footer[at] = digits!.stored * 2
  return narrow.length > 0
}

/** The digits that as many bytes hold, and the most for which the engine makes room for fewer; null: it is no number of a fixed width. */
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

/** Without the last fields of some structs. */
const withoutRanges = (footer: Buffer, ranges: readonly Range[]): Buffer => {
  if (ranges.some(({ end }) => footer[end] !== 0)) throw new RangeError('A field is not the last.')
  const starts = [0, ...ranges.map(({ end }) => end)]
  return Buffer.concat(starts.map((start, index) => footer.subarray(start, ranges[index]?.start)))
}

/** What the file says in GeoParquet's way, and the columns of which it says nothing there. */
const withGeometries = (said: string | null, geometries: readonly SchemaElement[]): string => {
  const metadata = said === null ? { version: '1.1.0', primary_column: geometries[0]!.name } : readObject(said)
  const known = 'columns' in metadata && isObject(metadata.columns) ? metadata.columns : {}
  const own = Object.fromEntries(geometries.map(({ name }) => [name, { encoding: 'WKB', geometry_types: [] }]))
  return JSON.stringify({ ...metadata, columns: { ...own, ...known } })
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const readObject = (text: string): object => {
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) return value
  } catch {
    // Told below.
  }
  throw new RangeError('The metadata of GeoParquet is no object.')
}
