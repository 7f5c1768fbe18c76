/** A character of no text (Unicode keeps it for such ends): the engine prints no name with it without quotes. */
const MARK = '\ufdd0'

/** Words that the engine prints without the quotes in which they are names: what it printed would be read as values or as words of SQL. */
const BARE = /([`"])(?=(?:true|false|not|nan|inf|infinity|top|cube|rollup|strict|recursive)\1)/gi

/**
 * SQL in which such names are marked, so that their quotes are still there when it comes back printed. What looks like one and is not (in a string, in a
 * comment) is marked as well, and comes back as it was.
 */
export const keepQuotes = (sql: string): { readonly marked: string; readonly unmark: (printed: string) => string } =>
  sql.includes(MARK)
    ? { marked: sql, unmark: printed => printed }
    : { marked: sql.replace(BARE, `$1${MARK}`), unmark: printed => printed.replaceAll(MARK, '') }
