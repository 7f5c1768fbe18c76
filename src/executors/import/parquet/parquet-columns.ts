import { quoteText } from '../../../warehouse/quote-text.ts'
import { isSqlError, type Statement, type Warehouse } from '../../../warehouse/warehouse.ts'
import { ImportFailure } from '../import-failure.ts'
import type { SpoolPlace } from '../spool/spool-folder.ts'
import { markClocks, markInt96 } from './mark-clocks.ts'
import { readFooter } from './read-footer.ts'

export type FileColumn = {
  readonly name: string
  /** What it is: times of no day are `Time64`, also in others, which the engine reads as times of 1970-01-01. */
  readonly type: string
  /** Of times in twelve bytes, which hold more than the engine has. */
  readonly isInt96: boolean
}

type Input = {
  readonly warehouse: Warehouse
  readonly workspace: string
  readonly spool: SpoolPlace
  readonly signal: AbortSignal
}

/** JSON is the text that it is: made an object it would lose its nulls and how its numbers are written, and what is none would be an empty one. */
export const JSON_AS_TEXT = { input_format_parquet_enable_json_parsing: 0 }

/**
 * The columns that the footer of a file names, in ClickHouse's types: an engine that is elsewhere is sent the footer. Throws `ImportFailure`
 * `content_unreadable`, `WarehouseError`.
 */
export const parquetColumns = async (input: Input): Promise<readonly FileColumn[]> => {
  const { warehouse, workspace, spool, signal } = input
  const source = spool.isLocal ? fileSource(spool.path) : footerSource(await readFooter(spool.path))
  const ask = <Row extends object>({ sql, settings }: Asking) =>
    warehouse.rows<Row>({ workspace, sql, settings: { ...settings, ...JSON_AS_TEXT }, signal })
  try {
    // What is nested too deep is refused there; to look at its metadata would end the engine.
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
  /** How many of what Parquet calls columns. */
  readonly width: string
  /** Of what Parquet calls columns. */
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

/** The engine tells them as what nobody can ask it for. */
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

/**
 * More than a file of any size that is taken can hold. The engine makes room for all that are claimed, whatever its limits are: some 25 bytes for a thousand
 * values of a column.
 */
const MOST_VALUES = 2 ** 36

const checkClaims = (claims: readonly Claims[]): void => {
  const { rows, width } = claims[0] ?? { rows: 0, width: '1' }
  if (rows * Number(width) > MOST_VALUES)
    throw new ImportFailure(
      'content_unreadable',
      `The content cannot be read as Parquet: its footer claims ${rows} rows of ${width} columns, ${MOST_VALUES} values may be. It is damaged.`,
    )
}

/** The engine says what it tried before what it found. */
const causeOf = ({ message }: Error): string =>
  message.replace(/^The table structure cannot be extracted [^\n]*Error:\s*/, '')

type Asking = Pick<Statement, 'sql' | 'settings'>
/** A statement on what the source gives in a format. */
type Source = (format: string, statement: (from: string) => string) => Asking

const fileSource =
  (path: string): Source =>
  (format, statement) => ({ sql: statement(`file(${quoteText(path)}, '${format}')`) })

/** For what is put behind a statement on its way: a format. */
const ROOM = 1024

/** As a file without rows before it, of which nothing but the footer is read. */
const footerSource = (footer: Buffer): Source => {
  const text = Buffer.concat([Buffer.from('PAR1'), footer]).toString('base64')
  return (format, statement) => {
    const sql = statement(`format('${format}', base64Decode('${text}'))`)
    return { sql, settings: { max_query_size: sql.length + ROOM } }
  }
}
