import { quoteText } from '../../../warehouse/quote-text.ts'
import type { ContentLoad } from '../load/load-content.ts'
import { runSieve } from '../sieve/run-sieve.ts'
import { LONGEST_RECORD } from '../sieve/sieve-report.ts'

/**
 * Whether every line of complete content is one JSON object or empty, and no text has half a surrogate pair, of which the engine makes bytes that are not
 * UTF-8. The sieve says what is wrong with other lines. The engine's row reader accepts much else (two objects on a line, one on two lines, `01`) as long as
 * it can go on, so the fate of a line would depend on others. A local engine checks ten times as fast as JavaScript; a remote one would need everything sent
 * again.
 */
export const linesAreRight = async ({ place, signal }: ContentLoad): Promise<boolean> => {
  const { statements, database, spool } = place
  if (!spool.isLocal) {
    const report = await runSieve({ input: spool.path, output: null, csv: null }, signal)
    return report.type === 'sieved' && report.invalid === 0 && report.isUnicode
  }
  const lines = `file(${quoteText(spool.path)}, 'LineAsString', 'line String', 'none')`
  const [row] = await statements.rows<{ count: string }>({
    database,
    // A line that is not an object has no keys.
    sql: `SELECT count() AS count FROM (SELECT line, JSONExtractKeys(line) AS keys FROM ${lines})
      WHERE length(line) >= ${LONGEST_RECORD} OR length(keys) != arrayUniq(keys)
        OR (empty(keys) AND line NOT IN ('', '\\r', '{}', '{}\\r'))`,
    settings: {
      use_structure_from_insertion_table_in_table_functions: 0,
      // Otherwise every condition would parse the line again.
      short_circuit_function_evaluation: 'disable',
    },
  })
  return Number(row!.count) === 0
}
