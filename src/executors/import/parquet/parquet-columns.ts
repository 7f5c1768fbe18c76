import { quoteText } from '../../../warehouse/quote-text.ts'
import type { Warehouse } from '../../../warehouse/warehouse.ts'
import type { SpoolPlace } from '../spool/spool-folder.ts'

export type FileColumn = { readonly name: string; readonly type: string }

type Input = {
  readonly warehouse: Warehouse
  readonly workspace: string
  readonly spool: SpoolPlace
  readonly signal: AbortSignal
}

/** The columns that the footer of a file names, in ClickHouse's types; null: the engine is elsewhere and cannot look. Throws `WarehouseError`. */
export const parquetColumns = async ({
  warehouse,
  workspace,
  spool,
  signal,
}: Input): Promise<readonly FileColumn[] | null> =>
  spool.isLocal
    ? warehouse.rows<FileColumn>({
        workspace,
        sql: `DESCRIBE TABLE file(${quoteText(spool.path)}, 'Parquet')`,
        signal,
      })
    : null
