/**
 * A scanner for just enough SQL to see how a statement begins, where it ends and which format it names. It does not judge what is allowed: the guard does, on
 * the syntax tree.
 */
export type ScannedSql = {
  /** The first words, in upper case, without comments: `INSERT`, `INTO`. */
  readonly words: readonly string[]
  /** The statement without its trailing `FORMAT` clause and semicolons. */
  readonly text: string
  /** The format named by a trailing `FORMAT` clause. */
  readonly format: string | null
  /** Something follows the first semicolon. */
  readonly several: boolean
}

/** Opaque tokens first (strings, quoted names, heredocs, comments), then words, then everything else. */
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

/** Replaces only outside strings, quoted names, heredocs and comments. */
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
