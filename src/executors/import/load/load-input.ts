import { createReadStream } from 'node:fs'
import { availableParallelism } from 'node:os'
import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { quoteText } from '../../../warehouse/quote-text.ts'
import type { Spooling } from '../spool/spooling.ts'
import { makeFifo } from './feed-fifo.ts'
import type { LoadPlace } from './load-place.ts'
import type { Reader } from './reader.ts'

type Loading = LoadPlace & {
  readonly reader: Pick<Reader, 'format' | 'structure' | 'settings'>
  readonly columns: readonly string[]
  /** The SELECT, with `CONTENT` in place of the content. */
  readonly select: string
  /** How many times each row is read, if views read it again. */
  readonly timesRead?: number
}

/** Placeholder for the content in SQL. No quoted name or text can contain it, because one of its quotes would be escaped there. */
export const CONTENT = "'`content`'"

const READ_BYTES = 1024 * 1024

/**
 * Loads a table from spooled content. A local engine opens the file itself, or a pipe if the content is still arriving. A remote one is sent the content, which
 * must be complete. Throws `WarehouseError`, and the error that ended the content.
 */
export const loadInput = async (loading: Loading): Promise<void> => {
  const { statements, database, spool, reader, table, columns, select, timesRead = 1 } = loading
  const head = `INSERT INTO ${quoteIdentifier(table)} (${columns.map(quoteIdentifier).join(', ')}) `
  const settings = {
    ...LOAD_SETTINGS,
    ...(spool.isLocal && IN_SEQUENCE),
    ...(loading.keepsOrder && READ_IN_ORDER),
    ...reader.settings,
  }
  const insertFrom = (from: string): string => head + select.replace(CONTENT, () => from)
  const insertFile = (path: string): Promise<void> =>
    statements.command({ database, sql: insertFrom(fileFunction(path, reader)), settings, timesRead })

  const { spooling } = spool
  const isComing = spooling !== null && !spooling.isWhole
  if (spool.isLocal) return isComing ? insertComing(spooling, insertFile) : insertFile(spool.path)
  const content = createReadStream(spool.path, { highWaterMark: READ_BYTES })
  const sql = `${insertFrom(`input(${quoteText(reader.structure ?? '')})`)} FORMAT ${reader.format}`
  return statements.insert({ database, sql, settings, content, timesRead })
}

const fileFunction = (path: string, { format, structure }: Loading['reader']): string =>
  structure === null
    ? `file(${quoteText(path)}, '${format}')`
    : `file(${quoteText(path)}, '${format}', ${quoteText(structure)}, 'none')`

const insertComing = async (spooling: Spooling, insertFile: (path: string) => Promise<void>): Promise<void> => {
  const fifo = await makeFifo(`${spooling.path}.fifo`)
  if (fifo === null) {
    await spooling.whole()
    return insertFile(spooling.path)
  }
  const feeding = fifo.feed(spooling)
  feeding.catch(() => {})
  try {
    await insertFile(fifo.path)
  } finally {
    await fifo.end()
  }
  // To the engine, an error of the content looked like its end.
  await feeding
}

/** Statements for five hundred columns are long. */
export const LONG_STATEMENTS = {
  max_query_size: 64 * 1024 * 1024,
  max_ast_elements: 2_000_000,
  max_expanded_ast_elements: 20_000_000,
}

/** One block may touch many partitions. Column names are positions in the file, never guessed. */
const LOAD_SETTINGS = {
  ...LONG_STATEMENTS,
  max_partitions_per_insert_block: 0,
  // With one, a single thread would judge and write all the rows that many parse.
  max_insert_threads: 4,
  insert_null_as_default: 0,
  // Rows are counted in the table: those that replace each other must stay apart until a merge.
  optimize_on_insert: 0,
  use_structure_from_insertion_table_in_table_functions: 0,
}

/**
 * With two cores, one parses the content and the other judges and writes the rows. Parallel parsing in chunks costs a fifth more, which pays off only with more
 * cores.
 */
const IN_SEQUENCE = { input_format_parallel_parsing: availableParallelism() > 2 ? 1 : 0 }

/** Several threads would write blocks in the order in which they finish. */
const READ_IN_ORDER = {
  max_insert_threads: 1,
  parallelize_output_from_storages: 0,
  input_format_parquet_preserve_order: 1,
}
