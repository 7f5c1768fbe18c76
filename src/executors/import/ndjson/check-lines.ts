import { quoteText } from '../../../warehouse/quote-text.ts'
import type { ContentLoad } from '../load/load-content.ts'
import { runSieve } from '../sieve/run-sieve.ts'
import { LONGEST_RECORD } from '../sieve/sieve-report.ts'

/**
 * Whether every line of whole content is one object of JSON, or empty: what is said of lines that are not is the sieve's to say. The engine's reader of rows takes much
 * else (two objects in a line, one in two lines, `01`) for as long as it can go on, so that what became of a line would depend on others. The
 * engine itself looks ten times as fast as JavaScript; where it is elsewhere it would have to be sent everything again.
 */
export const linesAreRight = async ({ place, signal }: ContentLoad): Promise<boolean> => {
  const { statements, database, spool } = place
  if (!spool.isLocal) {
    const report = await runSieve({ input: spool.path, output: null, csv: null }, signal)
    return report.type === 'sieved' && report.invalid === 0
  }
  const lines = `file(${quoteText(spool.path)}, 'LineAsString', 'line String', 'none')`
  const [row] = await statements.rows<{ count: string }>({
    database,
    // Of what is no object there are no keys.
    sql: `SELECT count() AS count FROM (SELECT line, JSONExtractKeys(line) AS keys FROM ${lines})
      WHERE length(line) >= ${LONGEST_RECORD} OR length(keys) != arrayUniq(keys)
        OR (empty(keys) AND line NOT IN ('', '\\r', '{}', '{}\\r'))`,
    settings: { use_structure_from_insertion_table_in_table_functions: 0 },
  })
  return Number(row!.count) === 0
}
