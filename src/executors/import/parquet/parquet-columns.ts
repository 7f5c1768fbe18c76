import { quoteText } from '../../../warehouse/quote-text.ts'
import { isSqlError, type Statement, type Warehouse } from '../../../warehouse/warehouse.ts'
import { ImportFailure } from '../import-failure.ts'
import type { SpoolPlace } from '../spool/spool-folder.ts'
import { markClocks, markInt96 } from './mark-clocks.ts'
import { readFooter } from './read-footer.ts'

export type FileColumn = {
  readonly name: string
  /** The real type: times without a date are `Time64`, even nested ones, although the engine reads them as times of 1970-01-01. */
  readonly type: string
  /** 12-byte times, whose range is larger than the engine's. */
  readonly isInt96: boolean
}

type Input = {
  readonly warehouse: Warehouse
  readonly workspace: string
  readonly spool: SpoolPlace
  readonly signal: AbortSignal
}

/** Reads JSON as text. As an object it would lose its nulls and the form of its numbers, and invalid JSON would be an empty object. */
export const JSON_AS_TEXT = { input_format_parquet_enable_json_parsing: 0 }

/** The columns in a file's footer, in ClickHouse's types. A remote engine is sent the footer. Throws `ImportFailure` `content_unreadable`, `WarehouseError`. */
export const parquetColumns = async (input: Input): Promise<readonly FileColumn[]> => {
  const { warehouse, workspace, spool, signal } = input
  const source = spool.isLocal ? fileSource(spool.path) : footerSource(await readFooter(spool.path))
  const ask = <Row extends object>({ sql, settings }: Asking) =>
    warehouse.rows<Row>({ workspace, sql, settings: { ...settings, ...JSON_AS_TEXT }, signal })
  try {
    // DESCRIBE refuses types nested too deep. Reading their metadata would crash the engine.
    const columns = await ask<Described>(source('Parquet', from => `DESCRIBE TABLE ${from}`))
    const claims = await ask<Claims>(
      source(
        'ParquetMetadata',
        from =>
          `SELECT ${CLAIMED_ROWS} AS rows, length(columns) AS width, ${CLOCKS} AS clocks, ${INT96} AS times FROM ${from}`,
      ),
    )
    checkNames(columns)
    checkClaims(claims)
    return fileColumns(columns, claims[0])
  } catch (error) {
    if (!isSqlError(error)) throw error
    throw new ImportFailure('content_unreadable', `The content cannot be read as Parquet: ${causeOf(error)}`)
  }
}

type Described = Pick<FileColumn, 'name' | 'type'>

type Claims = {
  readonly rows: number
  /** The number of what Parquet calls columns. */
  readonly width: string
  /** One for each of what Parquet calls columns. */
  readonly clocks: readonly (0 | 1)[]
  readonly times: readonly (0 | 1)[]
}

const fileColumns = (columns: readonly Described[], claims: Claims | undefined): readonly FileColumn[] => {
  const own = columns.map(({ type }) => type)
  const { clocks = [], times = [] } = claims ?? {}
  const types = markClocks(
    own,
    clocks.map(isClock => isClock === 1),
  )
  const areInt96 = markInt96(
    own,
    times.map(isTime => isTime === 1),
  )
  return columns.map(({ name }, index) => ({ name, type: types[index]!, isInt96: areInt96[index]! }))
}

/** The engine replaces the invalid bytes of such a name, so that nobody can ask it for the column. */
const checkNames = (columns: readonly Described[]): void => {
  if (columns.some(({ name }) => name.includes('\ufffd')))
    throw new ImportFailure(
      'content_unreadable',
      'The content cannot be read as Parquet: the name of a column is not UTF-8.',
    )
}

const CLAIMED_ROWS = 'arraySum(g -> toFloat64(g.num_rows), row_groups)'
const INT96 = "arrayMap(c -> c.physical_type = 'INT96', columns)"
const CLOCKS = "arrayMap(c -> startsWith(c.logical_type, 'Time('), columns)"

/** More than nearly any accepted file holds. The engine allocates for all claimed values, whatever its limits: some 25 bytes per thousand values of a column. */
const MOST_VALUES = 2 ** 36

const checkClaims = (claims: readonly Claims[]): void => {
  const { rows, width } = claims[0] ?? { rows: 0, width: '1' }
  if (rows * Number(width) > MOST_VALUES)
    throw new ImportFailure(
      'content_unreadable',
      `The content cannot be read as Parquet: its footer claims ${rows} rows of ${width} columns, and a file may have ${MOST_VALUES} values.`,
    )
}

/** Drops what the engine says it tried, which comes before what it found. */
const causeOf = ({ message }: Error): string =>
  message.replace(/^The table structure cannot be extracted [^\n]*Error:\s*/, '')

type Asking = Pick<Statement, 'sql' | 'settings'>
/** A statement that reads the source in a format. */
type Source = (format: string, statement: (from: string) => string) => Asking

const fileSource =
  (path: string): Source =>
  (format, statement) => ({ sql: statement(`file(${quoteText(path)}, '${format}')`) })

/** Room for what is appended to a statement on its way: a format. */
const ROOM = 1024

/** The footer as a file without rows before it, because nothing else is read. */
const footerSource = (footer: Buffer): Source => {
  const text = Buffer.concat([Buffer.from('PAR1'), footer]).toString('base64')
  return (format, statement) => {
    const sql = statement(`format('${format}', base64Decode('${text}'))`)
    return { sql, settings: { max_query_size: sql.length + ROOM } }
  }
}
