import { type Column, formatTable } from './table.ts'

type Row = Readonly<Record<string, unknown>>

/** Objects with the same fields as a table; see `formatColumns`. */
export const formatRows = (rows: readonly Row[], width?: number): string => {
  const names = Object.keys(rows[0] ?? {})
  return formatColumns({ names, values: rows.map(row => names.map(name => row[name])) }, width)
}

type Rows = { readonly names: readonly string[]; readonly values: readonly (readonly unknown[])[] }

/** Query rows as a table: numbers right-aligned, nested values as JSON, null as empty. Empty without rows. */
export const formatColumns = ({ names, values }: Rows, width?: number): string => {
  if (names.length === 0) return ''
  const columns = names.map((title, index): Column<readonly unknown[]> => {
    const value = (row: readonly unknown[]) => cellText(row[index])
    return values.every(row => isNumeric(row[index]))
      ? { title, align: 'right', value: row => withoutSign(value(row)) }
      : { title, value }
  })
  return formatTable(columns, values, width)
}

const cellText = (value: unknown): string => {
  if (value === null || value === undefined) return ''
  if (Object.is(value, -0)) return '-0'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** The sign of NaN is meaningless, and some processors set it for 0 / 0. */
const withoutSign = (text: string): string => (text === '-nan' ? 'nan' : text)

/** Large integers arrive as text, as do values that JSON numbers cannot express. */
const isNumeric = (value: unknown): boolean =>
  value === null ||
  typeof value === 'number' ||
  (typeof value === 'string' && /^(-?\d+(\.\d+)?|-?inf|-?nan)$/.test(value))
