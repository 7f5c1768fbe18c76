import type { DataSource } from '../../../model/data-source.ts'
import type { Reader } from '../load/reader.ts'
import { type Dialect, dialectSettings } from './dialect.ts'

type Input = {
  readonly dialect: Dialect
  /** Lines before the first row. */
  readonly skipLines: number
  /** Names of the file's columns. */
  readonly names: readonly string[]
  readonly target: DataSource
}

const place = (index: number): string => `c${index}`

/** Lines of the wrong number of columns are an error: quickest where there are none. `isUtf8`: the content as a whole is looked at elsewhere. */
export const strictReader = (input: Input, { isUtf8 }: { isUtf8: boolean }): Reader => ({
  ...common(input),
  structure: input.names.map((_, index) => `${place(index)} String`).join(', '),
  columns: readColumns(input, index => place(index), isUtf8),
  isBlank: '0',
  isRagged: '0',
})

/** A column that a line does not have is NULL, and nothing else is; one more column takes what is too much. */
export const tolerantReader = (input: Input): Reader => {
  const { names } = input
  const last = place(names.length - 1)
  return {
    ...common(input),
    settings: { ...common(input).settings, input_format_csv_allow_variable_number_of_columns: 1 },
    structure: [...names, ''].map((_, index) => `${place(index)} Nullable(String)`).join(', '),
    columns: readColumns(input, index => `assumeNotNull(${place(index)})`, false),
    isBlank: `(isNull(${place(0)}) OR (${place(0)} = '' AND isNull(${place(1)})))`,
    isRagged: `(isNull(${last}) OR isNotNull(${place(names.length)}))`,
  }
}

const common = ({ dialect, skipLines }: Input) => ({
  format: 'CSV',
  settings: { ...dialectSettings(dialect), input_format_csv_skip_first_lines: skipLines },
})

const readColumns = ({ names, target }: Input, textOf: (index: number) => string, isUtf8: boolean): Reader['columns'] =>
  target.columns.flatMap(column => {
    const index = names.indexOf(column.name)
    if (index === -1) return []
    const { name, type } = column
    return [{ name, type, column, text: textOf(index), emptyIsNull: true, isUtf8, asIs: null }]
  })
