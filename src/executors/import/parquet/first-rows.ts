import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { quoteText } from '../../../warehouse/quote-text.ts'
import type { Warehouse } from '../../../warehouse/warehouse.ts'
import { withShared } from '../load/judge-read.ts'
import { CLOCKS } from './clock-texts.ts'
import { damagedAmong, ROW_BINARY, selectParts } from './damaged-wkb.ts'
import { DATES } from './date-days.ts'
import { anyGeometry, isGeometry } from './geometry-column.ts'
import { int96Text } from './int96-text.ts'
import { anyLeaf, leafTexts } from './leaf-texts.ts'
import { type FileColumn, JSON_AS_TEXT } from './parquet-columns.ts'
import { readAnyAs } from './read-as.ts'
import type { WkbLook } from './read-wkb.ts'

type Input = {
  readonly warehouse: Warehouse
  readonly workspace: string
  /** A file that the engine opens itself. */
  readonly path: string
  readonly columns: readonly FileColumn[]
  readonly most: number
  readonly signal: AbortSignal
}

/** Always reads the first of several row groups. */
const IN_ORDER = { ...JSON_AS_TEXT, max_threads: 1, input_format_parquet_preserve_order: 1 }

/**
 * The first rows of a Parquet file. Dates and times without a date are texts, even out of the engine's range; geometries that the engine lacks are bytes in
 * hex. Throws `WarehouseError`.
 */
export const firstRows = async <Row extends object>(input: Input): Promise<readonly Row[]> => {
  const { warehouse, workspace, columns, signal } = input
  const geometries = columns.filter(({ type }) => isGeometry(type)).map(({ name }) => name)
  const from = fromFirst(input)
  const look = { damaged: geometries.length === 0 ? null : await damagedList(input, selectParts(geometries, from)) }
  const settings = { ...IN_ORDER, output_format_json_validate_utf8: 1 }
  return warehouse.rows<Row>({ workspace, sql: selectShown(columns, look, from), settings, signal })
}

const fromFirst = ({ path, columns, most }: Input): string => {
  const structure = columns.map(column => `${quoteIdentifier(column.name)} ${readAnyAs(column)}`).join(', ')
  return `(SELECT * FROM file(${quoteText(path)}, 'Parquet', ${quoteText(structure)}) LIMIT ${most})`
}

/** A list of hashes in SQL; null: none are damaged. */
const damagedList = async ({ warehouse, workspace, signal }: Input, sql: string): Promise<string | null> => {
  const settings = { ...IN_ORDER, ...ROW_BINARY }
  const hashes = await damagedAmong(await warehouse.stream({ workspace, sql, settings, signal }))
  const listed = hashes.map(hash => `toFixedString(unhex('${hash.toString('hex')}'), ${hash.length})`)
  return listed.length === 0 ? null : `(${listed.join(', ')})`
}

const selectShown = (columns: readonly FileColumn[], look: WkbLook, from: string): string => {
  const shown = columns.map(column => shownValue(column, look))
  const values = shown.map(({ value }, index) => `${value} AS ${quoteIdentifier(columns[index]!.name)}`)
  return `${withShared(shown)}SELECT ${values.join(', ')} FROM ${from}`
}

const shownValue = ({ name, type, isInt96 }: FileColumn, look: WkbLook): ReturnType<typeof anyGeometry> => {
  const place = quoteIdentifier(name)
  if (isGeometry(type)) return anyGeometry(name, look)
  return { value: isInt96 ? int96Text(place) : leafTexts(anyLeaf([CLOCKS, DATES]), type, place), shared: [] }
}
