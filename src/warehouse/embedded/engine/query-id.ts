import { replaceInCode } from './scan-sql.ts'

/**
 * chDB assigns its own query ids and accepts none, so a client's id is kept in the setting `log_comment`. Statements that look at running statements by
 * `query_id` are rewritten to use that setting.
 */
export const withOwnQueryIds = (sql: string, words: readonly string[]): string => {
  const kills = words[0] === 'KILL' && words[1] === 'QUERY'
  if (kills) return replaceInCode(sql, /\bquery_id\b/g, "Settings['log_comment']")
  return replaceInCode(sql, /\bsystem\.processes\b/g, PROCESSES)
}

const PROCESSES = "(SELECT * REPLACE (Settings['log_comment'] AS query_id) FROM system.processes)"
