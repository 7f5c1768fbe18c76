/**
 * As much of SQL's surface as is needed to see where a statement ends, how it begins and which format it names. No judge of
 * what is allowed: that is the guard, on the statement's tree.
 */
export type ScannedSql = {
  /** The first words, in capitals, without comments: `INSERT`, `INTO`. */
  readonly words: readonly string[]
  /** The statement without the `FORMAT` clause and semicolons it ends with. */
  readonly text: string
  /** What a closing `FORMAT` clause names. */
  readonly format: string | null
  /** Something follows the first semicolon. */
  readonly several: boolean
}

/** Strings, quoted names, heredocs and comments, in which nothing means what it looks like; then words, then the rest. */
const TOKEN =
  /'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"|`(?:[^`\\]|\\[\s\S])*`|(\$\w*\$)[\s\S]*?\1|(--[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/)|([\p{L}_][\p{L}\p{N}_]*)|\s+|[\s\S]/gu

type Token = { readonly text: string; readonly start: number; readonly isWord: boolean }

export const scanSql = (sql: string): ScannedSql => {
  const tokens = significantTokens(sql)
  const firstEnd = tokens.findIndex(token => token.text === ';')
  const statement = firstEnd === -1 ? tokens : tokens.slice(0, firstEnd)
  const several = firstEnd !== -1 && tokens.slice(firstEnd).some(token => token.text !== ';')
  const words = statement.slice(0, 3).map(token => token.text.toUpperCase())
  const [keyword, name] = statement.slice(-2)
  const named = statement.length > 2 && name?.isWord === true && keyword?.text.toUpperCase() === 'FORMAT'
  const last = named ? statement.at(-3) : statement.at(-1)
  return {
    words,
    text: last === undefined ? '' : sql.slice(0, last.start + last.text.length),
    format: named ? name.text : null,
    several,
  }
}

const significantTokens = (sql: string): readonly Token[] => {
  const tokens: Token[] = []
  for (const match of sql.matchAll(TOKEN)) {
    const [text, , comment, word] = match
    if (comment !== undefined || text.trim() === '') continue
    tokens.push({ text, start: match.index, isWord: word !== undefined })
  }
  return tokens
}

/** Replaces outside of strings, quoted names and comments. */
export const replaceInCode = (sql: string, pattern: RegExp, replacement: string): string => {
  let result = ''
  let code = ''
  for (const [text, heredoc, comment, word] of sql.matchAll(TOKEN)) {
    const opaque = comment !== undefined || heredoc !== undefined || (word === undefined && /^['"`]./s.test(text))
    if (!opaque) {
      code += text
      continue
    }
    result += code.replace(pattern, replacement) + text
    code = ''
  }
  return result + code.replace(pattern, replacement)
}
