import type { ResultFormat } from '../model/job.ts'
import { shownName } from './guard/shown-name.ts'
import { type ColumnarFormat, portableType } from './portable-type.ts'
import { quoteIdentifier } from './quote-identifier.ts'
import { quoteText } from './quote-text.ts'
import { type DescribedColumn, isSqlError, WarehouseError } from './warehouse.ts'

type Input = {
  /** SQL that the guard has approved. */
  readonly sql: string
  readonly format: ResultFormat
  /** The columns of a SELECT according to the engine, without running it. */
  readonly describe: (sql: string) => Promise<readonly DescribedColumn[]>
}

/** Casts the SELECT's columns to types that readers of the format know. Throws `WarehouseError` `sql_error` if a column has no such type. */
export const withPortableColumns = async ({ sql, format, describe }: Input): Promise<string> => {
  const columnar = COLUMNAR[format]
  if (columnar === undefined && !READS_PIPES.test(sql)) return sql
  // Outside a view, the engine would execute the scalar sub-queries of this sub-query.
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
/** Such as the values of an Enum. */
const QUOTED = /'(?:[^'\\]|\\.)*'/g

/** Replaces a column name that is not UTF-8 (such as that of `'\xFF'`). No real column has an empty name. */
export const NO_TEXT = ''

/** Other faults in the SQL are reported when it runs. Duplicate column names are a fault only here. */
const noneIfWrong = (error: unknown): readonly DescribedColumn[] => {
  if (!isSqlError(error)) throw error
  const [, twice] = TWICE.exec(error.message) ?? []
  if (twice === undefined) return []
  throw new WarehouseError(
    'sql_error',
    `Two columns are called ${shownName(twice)}, but Arrow, Parquet and queries that read pipes need unique column names: rename one of them.`,
  )
}

/** The start of a SELECT that `flattenSelect` has built from definitions. If it has two columns of one name, its SELECT * returns the first one twice. */
const READS_PIPES = /^\(\s*WITH\s+`?c__/

/** It would be unclear which of the two columns a cast applies to. */
const TWICE = /^Cannot add column ([\s\S]+): column with this name already exists/

const COLUMNAR: Partial<Record<ResultFormat, ColumnarFormat>> = {
  arrow: 'arrow',
  arrow_stream: 'arrow',
  parquet: 'parquet',
}
