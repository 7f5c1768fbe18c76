/** A Unicode noncharacter, which occurs in no text. The engine always quotes a name that contains it. */
const MARK = '\ufdd0'

/** Words that the engine prints without quotes even where they are quoted names. The printed SQL would then be read as values or keywords. */
const BARE = /([`"])(?=(?:true|false|not|nan|inf|infinity|top|cube|rollup|strict|recursive)\1)/gi

/** Marks such names in SQL, so that they keep their quotes when the engine prints it. Look-alikes in strings and comments are marked and unmarked, too. */
export const keepQuotes = (sql: string): { readonly marked: string; readonly unmark: (printed: string) => string } =>
  sql.includes(MARK)
    ? { marked: sql, unmark: printed => printed }
    : { marked: sql.replace(BARE, `$1${MARK}`), unmark: printed => printed.replaceAll(MARK, '') }
