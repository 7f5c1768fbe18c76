import { quoteText } from '../quote-text.ts'
import { keepQuotes } from './keep-quotes.ts'
import { LONGEST_SQL_BYTES } from './longest-sql.ts'
import { printedText } from './printed-text.ts'
import { refusal } from './refusal.ts'
import { readSyntaxTree, type SyntaxNode } from './syntax-tree.ts'

type Parameters = Readonly<Record<string, unknown>>

/** Runs a readonly statement that only inspects SQL, within the deadline for that, and returns its rows. */
export type LookAtSql = <Row extends object>(input: {
  readonly sql: string
  readonly parameters: Parameters
  readonly settings?: Readonly<Record<string, number>>
}) => Promise<readonly Row[]>

/** The engine's own parser. Throws `WarehouseError`: `sql_error`, with the position, if the SQL does not parse. */
export interface EngineParser {
  /** The text as the parser understood it: one statement, without comments. */
  format(sql: string): Promise<string>
  /** The syntax tree. Pass only formatted text: EXPLAIN AST of two statements would run the second. */
  parse(sql: string, parameters: Parameters): Promise<SyntaxNode>
}

/** Otherwise the WITH before the first SELECT of a union is printed before each of them. */
const AS_WRITTEN = { enable_global_with_statement: 0 }

/** Room for the longest text with every character escaped. */
const AS_LITERAL = { max_query_size: 3 * LONGEST_SQL_BYTES }

/** Otherwise a text without the word SELECT gets one: `DELETE FROM t` would select the column DELETE of t. */
const AS_IT_STANDS = { implicit_select: 0 }

export const createEngineParser = (rows: LookAtSql): EngineParser => {
  /** The text is a literal, because parameters are sent in the URL, where a server accepts only 128 KiB. */
  const print = async (printer: string, text: string, settings = {}): Promise<string | null> => {
    const [answer] = await rows<{ text: string | null }>({
      sql: `SELECT base64Encode(${printer}(${quoteText(text)})) AS text`,
      parameters: {},
      settings: { ...AS_LITERAL, ...settings },
    })
    return answer?.text ?? null
  }

  return {
    format: async sql => {
      if (Buffer.byteLength(sql) > LONGEST_SQL_BYTES)
        throw refusal(`The SQL is longer than ${LONGEST_SQL_BYTES} bytes.`)
      const { marked, unmark } = keepQuotes(sql)
      const base64 = await print('formatQueryOrNull', marked, AS_IT_STANDS)
      if (base64 === null) {
        // Throws, with the position. The message is shorter when SELECT may be implied.
        await print('formatQuery', sql)
        throw refusal('This is not a query: a query starts with SELECT or WITH, such as SELECT * FROM events.')
      }
      const printed = printedText(Buffer.from(base64, 'base64'))
      if (printed === null) throw refusal('A name in the SQL is not valid UTF-8: rename it.')
      return unmark(printed)
    },
    parse: async (sql, parameters) => {
      const lines = await rows<{ explain: string }>({ sql: `EXPLAIN AST ${sql}`, parameters, settings: AS_WRITTEN })
      const tree = readSyntaxTree(
        lines.map(({ explain }) => explain).filter((line, index) => line !== '' || index < lines.length - 1),
      )
      if (tree === null)
        throw refusal('A name in the SQL has a line break, or a character that cannot be read back: call it otherwise.')
      return tree
    },
  }
}
