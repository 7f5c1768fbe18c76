import { createReadStream } from 'node:fs'
import type { Statements } from '../../../data/statements.ts'
import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { quoteText } from '../../../warehouse/quote-text.ts'
import type { SpoolPlace } from '../spool/spool-folder.ts'
import type { Reader } from './reader.ts'

type Loading = {
  readonly statements: Statements
  readonly database: string
  readonly spool: SpoolPlace
  readonly reader: Pick<Reader, 'format' | 'structure' | 'settings'>
  readonly table: string
  readonly columns: readonly string[]
  /** The SELECT with `FROM_CONTENT` where the content stands. */
  readonly select: string
}

/** Where the content stands in the SQL. */
export const CONTENT = '__content__'

const READ_BYTES = 1024 * 1024

/** Loads a table from spooled content: an engine on this machine opens the file itself, to any other it is sent. */
export const loadInput = async (loading: Loading): Promise<void> => {
  const { statements, database, spool, reader, table, columns, select } = loading
  const names = columns.map(quoteIdentifier).join(', ')
  const structure = reader.structure === null ? '' : `, ${quoteText(reader.structure)}`
  const head = `INSERT INTO ${quoteIdentifier(table)} (${names}) `
  const settings = { ...LOAD_SETTINGS, ...reader.settings }
  if (spool.isLocal) {
    const from = `file(${quoteText(spool.path)}, '${reader.format}'${structure}${structure === '' ? '' : ", 'none'"})`
    return statements.command({ database, sql: head + select.replace(CONTENT, () => from), settings })
  }
  const from = `input(${structure.slice(2)})`
  const content = createReadStream(spool.path, { highWaterMark: READ_BYTES })
  const sql = `${head}${select.replace(CONTENT, () => from)} FORMAT ${reader.format}`
  return statements.insert({ database, sql, settings, content })
}

/** Statements of five hundred columns are long. One block may touch many partitions. Names of columns are places in the file, never guessed. */
const LOAD_SETTINGS = {
  max_query_size: 64 * 1024 * 1024,
  max_ast_elements: 2_000_000,
  max_expanded_ast_elements: 20_000_000,
  max_partitions_per_insert_block: 0,
  insert_null_as_default: 0,
  use_structure_from_insertion_table_in_table_functions: 0,
}
