import type { DataSourceAnswer } from '../../client/data-sources.ts'
import { countText } from '../../terminal/count-text.ts'

/** Shown when there is no terminal for a confirmation. */
export const HINT = 'There is no terminal to ask on; give --yes.'

/** The rows that would be lost. */
export const rowsOf = ({ row_count: rows, quarantine_rows: quarantine }: DataSourceAnswer): string => {
  if (rows === null) return 'all rows'
  return quarantine
    ? `${countText(rows, 'row')} and ${quarantine.toLocaleString('en')} in quarantine`
    : countText(rows, 'row')
}
