import { createReadStream } from 'node:fs'
import { availableParallelism } from 'node:os'
import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { quoteText } from '../../../warehouse/quote-text.ts'
import { followFile } from '../spool/follow-file.ts'
import type { Spooling } from '../spool/spooling.ts'
import { makeFifo } from './feed-fifo.ts'
import type { LoadPlace } from './load-place.ts'
import type { Reader } from './reader.ts'

type Loading = LoadPlace & {
  readonly reader: Pick<Reader, 'format' | 'structure' | 'settings'>
  readonly columns: readonly string[]
  /** The SELECT, with `CONTENT` where the content stands. */
  readonly select: string
  /** How often each row is read, when views hand it on. */
  readonly timesRead?: number
}

/** Where the content stands in the SQL: what no quoted name or text can hold, in which one of these characters is escaped. */
export const CONTENT = "'`content`'"

const READ_BYTES = 1024 * 1024

/**
 * Loads a table from spooled content: an engine on this machine opens the file itself, or a pipe when the content is still coming; to any other
 * it is sent, and has to be whole. Throws `WarehouseError`, and what ended the content.
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
  const feeding = fifo.feed(followFile(spooling))
  feeding.catch(() => {})
  try {
    await insertFile(fifo.path)
  } finally {
    await fifo.end()
  }
  // What ended the content looked like its end to the engine.
  await feeding
}

/** Those of five hundred columns are. */
export const LONG_STATEMENTS = {
  max_query_size: 64 * 1024 * 1024,
  max_ast_elements: 2_000_000,
  max_expanded_ast_elements: 20_000_000,
}

/** One block may touch many partitions. Names of columns are places in the file, never guessed. */
const LOAD_SETTINGS = {
  ...LONG_STATEMENTS,
  max_partitions_per_insert_block: 0,
  // One would judge and write all rows, while many take them apart.
  max_insert_threads: 4,
  insert_null_as_default: 0,
  // Rows are counted in the table: those that replace each other there stay apart until the engine merges them.
  optimize_on_insert: 0,
  use_structure_from_insertion_table_in_table_functions: 0,
}

/**
 * Of two cores one takes the content apart, and the other judges and writes what it finds. Cut into chunks that both take apart it costs a
 * fifth more; only with more cores is that worth it.
 */
const IN_SEQUENCE = { input_format_parallel_parsing: availableParallelism() > 2 ? 1 : 0 }

/** Several threads would write the blocks of the content as each is done with its own. */
const READ_IN_ORDER = {
  max_insert_threads: 1,
  parallelize_output_from_storages: 0,
  input_format_parquet_preserve_order: 1,
}
