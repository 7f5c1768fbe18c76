import type { DataSource } from '../../../model/data-source.ts'
import type { Reader } from '../load/reader.ts'
import type { CsvColumns } from './csv-columns.ts'
import { type Dialect, dialectSettings } from './dialect.ts'

type Input = {
  readonly dialect: Dialect
  /** Lines before the first row. */
  readonly skipLines: number
  readonly columns: CsvColumns
  readonly target: DataSource
  /** UTF-8 is checked elsewhere, for the content as a whole. */
  readonly isUtf8: boolean
}

const place = (index: number): string => `c${index}`

/**
 * Lines with a wrong number of columns are an error: the fastest way if there are none. An empty field becomes its column's default, which is empty too,
 * because the engine would misread it (see `hasBlankEnds`).
 */
export const strictReader = (input: Input): Reader => ({
  ...common(input),
  settings: { ...common(input).settings, input_format_csv_empty_as_default: 1 },
  structure: input.columns.names.map((_, index) => `${place(index)} String`).join(', '),
  columns: readColumns(input, place),
  isBlank: '0',
  isRagged: '0',
})

/**
 * A column is NULL only if the line lacks it. Surplus columns must be empty, and one more catches lines that are even longer. Not for files in which
 * `hasBlankEnds` finds one.
 */
export const tolerantReader = (input: Input): Reader => {
  const { names, most } = input.columns
  const last = place(names.length - 1)
  const surplus = Array.from({ length: most - names.length }, (_, index) => place(names.length + index))
  const isTooMuch = surplus.map(field => `ifNull(${field}, '') != ''`).join(' OR ')
  return {
    ...common(input),
    settings: {
      ...common(input).settings,
      input_format_csv_empty_as_default: 0,
      input_format_csv_allow_variable_number_of_columns: 1,
    },
    structure: Array.from({ length: most + 1 }, (_, index) => `${place(index)} Nullable(String)`).join(', '),
    columns: readColumns(input, index => `assumeNotNull(${place(index)})`),
    isBlank: `(isNull(${place(0)}) OR (${place(0)} = '' AND isNull(${place(1)})))`,
    isRagged: `(isNull(${last}) OR ${isTooMuch} OR isNotNull(${place(most)}))`,
  }
}

/** For the output of the sieve: no blank lines and, if there are quotes, only records of the right shape. */
export const sievedReader = (input: Input): Reader =>
  input.dialect.quote === '' ? { ...tolerantReader(input), isBlank: '0' } : strictReader(input)

const common = ({ dialect, skipLines }: Input) => ({
  format: 'CSV',
  settings: { ...dialectSettings(dialect), input_format_csv_skip_first_lines: skipLines },
})

const readColumns = ({ columns, target, isUtf8 }: Input, textOf: (index: number) => string): Reader['columns'] =>
  target.columns.flatMap(column => {
    const index = columns.names.indexOf(column.name)
    if (index === -1) return []
    const { name, type } = column
    return [{ name, type, column, text: textOf(index), emptyIsNull: true, isUtf8, asIs: null, unfit: null }]
  })
