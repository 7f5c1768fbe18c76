import type { Column } from '../../../model/data-source.ts'
import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { quoteText } from '../../../warehouse/quote-text.ts'
import type { Warehouse } from '../../../warehouse/warehouse.ts'
import { withShared } from '../load/judge-read.ts'
import { CLOCKS, withMoments } from './clock-texts.ts'
import { damagedAmong, ROW_BINARY, selectParts } from './damaged-wkb.ts'
import { DATES, withDays } from './date-days.ts'
import { anyGeometry, isGeometry, withBytes } from './geometry-column.ts'
import { anyLeaf, leafTexts } from './leaf-texts.ts'
import { JSON_AS_TEXT } from './parquet-columns.ts'
import type { WkbLook } from './read-wkb.ts'

type Input = {
  readonly warehouse: Warehouse
  readonly workspace: string
  /** Of a file that the engine opens itself. */
  readonly path: string
  readonly columns: readonly Column[]
  readonly most: number
  readonly signal: AbortSignal
}

/** Of several row groups the first, each time. */
const IN_ORDER = { ...JSON_AS_TEXT, max_threads: 1, input_format_parquet_preserve_order: 1 }

/** The first rows of a Parquet file: dates and times of no day as texts, also those that the engine has not, and of geometries that it has not their bytes in hex. Throws `WarehouseError`. */
export const firstRows = async <Row extends object>(input: Input): Promise<readonly Row[]> => {
  const { warehouse, workspace, columns, signal } = input
  const geometries = columns.filter(({ type }) => isGeometry(type)).map(({ name }) => name)
  const from = fromFirst(input)
  const look = { damaged: geometries.length === 0 ? null : await damagedList(input, selectParts(geometries, from)) }
  const settings = { ...IN_ORDER, output_format_json_validate_utf8: 1 }
  return warehouse.rows<Row>({ workspace, sql: selectShown(columns, look, from), settings, signal })
}

const fromFirst = ({ path, columns, most }: Input): string => {
  const readAs = (type: string): string => withDays(withMoments(withBytes(type)))
  const structure = columns.map(({ name, type }) => `${quoteIdentifier(name)} ${readAs(type)}`).join(', ')
  return `(SELECT * FROM file(${quoteText(path)}, 'Parquet', ${quoteText(structure)}) LIMIT ${most})`
}

/** Of hashes, in SQL; null: none are damaged. */
const damagedList = async ({ warehouse, workspace, signal }: Input, sql: string): Promise<string | null> => {
  const settings = { ...IN_ORDER, ...ROW_BINARY }
  const hashes = await damagedAmong(await warehouse.stream({ workspace, sql, settings, signal }))
  const listed = hashes.map(hash => `toFixedString(unhex('${hash.toString('hex')}'), ${hash.length})`)
  return listed.length === 0 ? null : `(${listed.join(', ')})`
}

const selectShown = (columns: readonly Column[], look: WkbLook, from: string): string => {
  const shown = columns.map(({ name, type }) =>
    isGeometry(type)
      ? anyGeometry(name, look)
      : { value: leafTexts(anyLeaf([CLOCKS, DATES]), type, quoteIdentifier(name)), shared: [] },
  )
  const values = shown.map(({ value }, index) => `${value} AS ${quoteIdentifier(columns[index]!.name)}`)
  return `${withShared(shown)}SELECT ${values.join(', ')} FROM ${from}`
}
