import { type Column, formatTable } from './table.ts'

type Row = Readonly<Record<string, unknown>>

/** Rows of a query as a table: numbers to the right, nested values as JSON, null as nothing. Empty without rows. */
export const formatRows = (rows: readonly Row[], width?: number): string => {
  const names = Object.keys(rows[0] ?? {})
  if (names.length === 0) return ''
  const columns = names.map((name): Column<Row> => {
    const value = (row: Row) => cellText(row[name])
    return rows.every(row => isNumeric(row[name]))
      ? { title: name, align: 'right', value: row => withoutSign(value(row)) }
      : { title: name, value }
  })
  return formatTable(columns, rows, width)
}

const cellText = (value: unknown): string => {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** What is no number has a sign that means nothing, and 0 / 0 has it on some processors. */
const withoutSign = (text: string): string => (text === '-nan' ? 'nan' : text)

/** Large integers come as text, and so does what JSON has no number for. */
const isNumeric = (value: unknown): boolean =>
  value === null ||
  typeof value === 'number' ||
  (typeof value === 'string' && /^(-?\d+(\.\d+)?|-?inf|-?nan)$/.test(value))
