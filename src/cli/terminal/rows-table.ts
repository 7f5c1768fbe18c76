import { type Column, formatTable } from './table.ts'

type Row = Readonly<Record<string, unknown>>

/** Rows of a query as a table: numbers to the right, nested values as JSON, null as nothing. Empty without rows. */
export const formatRows = (rows: readonly Row[], width?: number): string => {
  const names = Object.keys(rows[0] ?? {})
  if (names.length === 0) return ''
  const columns = names.map((name): Column<Row> => {
    const column = { title: name, value: (row: Row) => cellText(row[name]) }
    return rows.every(row => isNumeric(row[name])) ? { ...column, align: 'right' } : column
  })
  return formatTable(columns, rows, width)
}

const cellText = (value: unknown): string => {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Large integers come as text. */
const isNumeric = (value: unknown): boolean =>
  value === null || typeof value === 'number' || (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value))
