import type { ResultFormat } from '../model/job.ts'
import { shownName } from './guard/shown-name.ts'
import { type ColumnarFormat, portableType } from './portable-type.ts'
import { quoteIdentifier } from './quote-identifier.ts'
import { quoteText } from './quote-text.ts'
import { type DescribedColumn, isSqlError, WarehouseError } from './warehouse.ts'

type Input = {
  /** What the guard let through. */
  readonly sql: string
  readonly format: ResultFormat
  /** The columns of a SELECT as the engine finds them, without running it. */
  readonly describe: (sql: string) => Promise<readonly DescribedColumn[]>
}

/** The SELECT with its columns as types that readers of the format know. Throws `WarehouseError` `sql_error` where one has none. */
export const withPortableColumns = async ({ sql, format, describe }: Input): Promise<string> => {
  const columnar = COLUMNAR[format]
  if (columnar === undefined && !READS_PIPES.test(sql)) return sql
  // Of a sub-query that is not in a view, the engine would carry out scalar sub-queries.
  const columns = await describe(`DESCRIBE TABLE view(SELECT * FROM (\n${sql}\n))`).catch(noneIfWrong)
  if (columnar === undefined) return sql
  if (columns.some(({ name }) => name === NO_TEXT))
    throw new WarehouseError(
      'sql_error',
      'A column name is not valid UTF-8, which Arrow and Parquet require: rename the column.',
    )
  const state = columns.find(({ type }) => STATE.test(type.replace(QUOTED, '')))
  if (state !== undefined)
    throw new WarehouseError(
      'sql_error',
      `The column ${shownName(state.name)} holds states of an aggregate function, for which neither Arrow nor Parquet has a type: take finalizeAggregation or hex of it.`,
    )
  const casts = columns.flatMap(({ name, type }) => {
    const portable = portableType(type, columnar)
    const column = quoteIdentifier(name)
    return portable === type ? [] : [`CAST(${column}, ${quoteText(portable)}) AS ${column}`]
  })
  return casts.length === 0 ? sql : `SELECT * REPLACE(${casts.join(', ')}) FROM (\n${sql}\n)`
}

const STATE = /(?<!Simple)AggregateFunction\(/
/** Values of an Enum, for example. */
const QUOTED = /'(?:[^'\\]|\\.)*'/g

/** The name of a column whose own is no UTF-8 (that of `'\xFF'`, for one): the engine has none without a character. */
export const NO_TEXT = ''

/** What is wrong with the SQL is told when it runs. Two columns of one name are wrong here alone. */
const noneIfWrong = (error: unknown): readonly DescribedColumn[] => {
  if (!isSqlError(error)) throw error
  const [, twice] = TWICE.exec(error.message) ?? []
  if (twice === undefined) return []
  throw new WarehouseError(
    'sql_error',
    `Two columns are called ${shownName(twice)}, but Arrow, Parquet and queries that read pipes need unique column names: rename one of them.`,
  )
}

/** As `flattenSelect` begins what reads definitions: to the SELECT * there, two columns of one name are the first of them both. */
const READS_PIPES = /^\(\s*WITH\s+`?c__/

/** Which of two columns a cast is of, could not be said. */
const TWICE = /^Cannot add column ([\s\S]+): column with this name already exists/

const COLUMNAR: Partial<Record<ResultFormat, ColumnarFormat>> = {
  arrow: 'arrow',
  arrow_stream: 'arrow',
  parquet: 'parquet',
}
