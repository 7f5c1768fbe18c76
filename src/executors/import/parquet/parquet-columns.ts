import { quoteText } from '../../../warehouse/quote-text.ts'
import { type Warehouse, WarehouseError } from '../../../warehouse/warehouse.ts'
import { ImportFailure } from '../import-failure.ts'
import type { SpoolPlace } from '../spool/spool-folder.ts'

export type FileColumn = { readonly name: string; readonly type: string }

type Input = {
  readonly warehouse: Warehouse
  readonly workspace: string
  readonly spool: SpoolPlace
  readonly signal: AbortSignal
}

/**
 * The columns that the footer of a file names, in ClickHouse's types; null: the engine is elsewhere and cannot look. Throws `ImportFailure` `content_unreadable`,
 * `WarehouseError`.
 */
export const parquetColumns = async (input: Input): Promise<readonly FileColumn[] | null> => {
  const { warehouse, workspace, spool, signal } = input
  if (!spool.isLocal) return null
  try {
    const sql = `DESCRIBE TABLE file(${quoteText(spool.path)}, 'Parquet')`
    return await warehouse.rows<FileColumn>({ workspace, sql, signal })
  } catch (error) {
    if (!(error instanceof WarehouseError) || error.reason !== 'sql_error') throw error
    throw new ImportFailure('content_unreadable', `The content is no whole Parquet: ${error.message}`)
  }
}
