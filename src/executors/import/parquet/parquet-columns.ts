import { quoteText } from '../../../warehouse/quote-text.ts'
import { isSqlError, type Statement, type Warehouse } from '../../../warehouse/warehouse.ts'
import { ImportFailure } from '../import-failure.ts'
import type { SpoolPlace } from '../spool/spool-folder.ts'
import { readFooter } from './read-footer.ts'

export type FileColumn = { readonly name: string; readonly type: string }

type Input = {
  readonly warehouse: Warehouse
  readonly workspace: string
  readonly spool: SpoolPlace
  readonly signal: AbortSignal
}

/**
 * The columns that the footer of a file names, in ClickHouse's types: an engine that is elsewhere is sent the footer. Throws `ImportFailure`
 * `content_unreadable`, `WarehouseError`.
 */
export const parquetColumns = async (input: Input): Promise<readonly FileColumn[]> => {
  const { warehouse, workspace, spool, signal } = input
  const describing = spool.isLocal ? describeFile(spool.path) : describeFooter(await readFooter(spool.path))
  try {
    return await warehouse.rows<FileColumn>({ workspace, ...describing, signal })
  } catch (error) {
    if (!isSqlError(error)) throw error
    throw new ImportFailure('content_unreadable', `The content is no whole Parquet: ${error.message}`)
  }
}

type Describing = Pick<Statement, 'sql' | 'settings'>

const describeFile = (path: string): Describing => ({ sql: `DESCRIBE TABLE file(${quoteText(path)}, 'Parquet')` })

/** As a file without rows before it, of which nothing but the footer is read. */
const describeFooter = (footer: Buffer): Describing => {
  const text = Buffer.concat([Buffer.from('PAR1'), footer]).toString('base64')
  const sql = `DESCRIBE TABLE format('Parquet', base64Decode('${text}'))`
  return { sql, settings: { max_query_size: sql.length + 1 } }
}
