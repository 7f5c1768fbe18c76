import { quoteText } from '../../warehouse/quote-text.ts'
import { nullOfSqlError, type Warehouse } from '../../warehouse/warehouse.ts'

/** Room for the longest statement with every character escaped. */
const AS_LITERAL = { max_query_size: 1024 * 1024 }

/**
 * Whether a statement keeps its meaning when the engine prints it. The engine stores tables and mutations as it prints them, and omits quotes that some names
 * need (`true`, `not`).
 */
export const isPrintedAlike = async (warehouse: Warehouse, workspace: string, sql: string): Promise<boolean> => {
  const [printed] = await warehouse.rows<{ text: string }>({
    workspace,
    // As a literal, as in the guard: parameters are sent in the URL.
    sql: `SELECT formatQuerySingleLine(${quoteText(sql)}) AS text`,
    settings: AS_LITERAL,
  })
  const treeOf = async (text: string): Promise<string> =>
    JSON.stringify(await warehouse.rows({ workspace, sql: `EXPLAIN AST ${text}` }))
  return (await treeOf(sql)) === (await treeOf(printed!.text).catch(nullOfSqlError))
}
