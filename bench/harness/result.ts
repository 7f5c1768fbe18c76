/** One row of the bench: what was measured, what it must reach and the figures behind it. */
export type Result = {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly bound: number
  /** Whether the bound is the least or the most that is good enough. */
  readonly good: 'at least' | 'at most'
  /** The figures behind the value, for people. */
  readonly figures: string
}

/** A row that could not be measured, and which tool it wanted. */
export type Skipped = { readonly name: string; readonly skipped: string }

export type Row = Result | Skipped

/** True when the value reaches its bound. */
export const isReached = (result: Result): boolean =>
  result.good === 'at least' ? result.value >= result.bound : result.value <= result.bound

/** The line that is printed for a row: `name  measured  bound  ok|MISS  figures`. */
export const formatRow = (row: Row): string => {
  if ('skipped' in row) return `${row.name.padEnd(34)} skipped: ${row.skipped}`
  const sign = row.good === 'at least' ? '≥' : '≤'
  const columns = [
    row.name.padEnd(34),
    withUnit(row.value, row.unit).padStart(14),
    `${sign} ${withUnit(row.bound, row.unit)}`.padStart(16),
    isReached(row) ? 'ok  ' : 'MISS',
    row.figures,
  ]
  return columns.join('  ')
}

const withUnit = (value: number, unit: string): string => `${round(value)} ${unit}`

/** Three significant digits for small values, thousands separators for large ones. */
export const round = (value: number): string =>
  Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)))
