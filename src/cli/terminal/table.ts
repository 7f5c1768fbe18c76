import { oneLine } from './plain-text.ts'

/** A column of a table: its title, and the cell of a row. */
export type Column<Row> = {
  readonly title: string
  readonly value: (row: Row) => string
  readonly align?: 'right'
  /** Decorates a padded cell without changing its width. */
  readonly style?: (cell: string, row: Row) => string
}

const GAP = '  '

/**
 * A table for people: one line per row, columns as wide as their widest cell. The last column is cut at `width`, unless it is unknown: absent, or 0 as of some terminals. Ends with a newline.
 */
export const formatTable = <Row>(columns: readonly Column<Row>[], rows: readonly Row[], width?: number): string => {
  const cells = rows.map(row => columns.map(column => oneLine(column.value(row))))
  const titles = columns.map(({ title }) => oneLine(title))
  const widths = titles.map((title, index) =>
    cells.reduce((most, row) => Math.max(most, row[index]!.length), title.length),
  )
  const limit = lastColumnLimit(widths, width)
  const head = columns.map((column, index) => pad(titles[index]!, widths[index]!, column.align))
  const body = cells.map((row, at) =>
    columns.map((column, index) => {
      const text = index === columns.length - 1 ? cut(row[index]!, limit) : row[index]!
      const cell = pad(text, widths[index]!, column.align)
      return column.style ? column.style(cell, rows[at]!) : cell
    }),
  )
  return [head, ...body].map(row => `${row.join(GAP).trimEnd()}\n`).join('')
}

const pad = (text: string, width: number, align: 'right' | undefined): string =>
  align === 'right' ? text.padStart(width) : text.padEnd(width)

const lastColumnLimit = (widths: readonly number[], width: number | undefined): number => {
  if (!width) return Number.POSITIVE_INFINITY
  const before = widths.slice(0, -1).reduce((sum, one) => sum + one + GAP.length, 0)
  return Math.max(10, width - before)
}

const cut = (text: string, limit: number): string => (text.length <= limit ? text : `${text.slice(0, limit - 1)}…`)
