import { quoteText } from '../../warehouse/quote-text.ts'
import { nullOfSqlError, type Warehouse } from '../../warehouse/warehouse.ts'

/** Room for the longest statement, with each of its characters escaped. */
const AS_LITERAL = { max_query_size: 1024 * 1024 }

/**
 * Whether a statement means the same as the engine prints it. It keeps tables and mutations as texts that it prints itself, and some names it prints without
 * the quotes they need (`true`, `not`).
 */
export const isPrintedAlike = async (warehouse: Warehouse, workspace: string, sql: string): Promise<boolean> => {
  const [printed] = await warehouse.rows<{ text: string }>({
    workspace,
    // As a literal, as in the guard: a parameter travels in the address of the request.
    sql: `SELECT formatQuerySingleLine(${quoteText(sql)}) AS text`,
    settings: AS_LITERAL,
  })
  const treeOf = async (text: string): Promise<string> =>
    JSON.stringify(await warehouse.rows({ workspace, sql: `EXPLAIN AST ${text}` }))
  return (await treeOf(sql)) === (await treeOf(printed!.text).catch(nullOfSqlError))
}
