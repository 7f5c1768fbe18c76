import type { DataSourceAnswer } from '../../client/data-sources.ts'
import { countText } from '../../terminal/count-text.ts'

/** The rows that would be lost. */
export const rowsOf = ({ row_count: rows, quarantine_rows: quarantine }: DataSourceAnswer): string => {
  if (rows === null) return 'all rows'
  return quarantine
    ? `${countText(rows, 'row')} and ${quarantine.toLocaleString('en')} in quarantine`
    : countText(rows, 'row')
}

/** The same of its quarantine. */
export const quarantinedRowsOf = ({ quarantine_rows: rows }: DataSourceAnswer): string =>
  rows === null ? 'all rows' : countText(rows, 'row')
