/** A token of SQL as the engine prints it. Whitespace is no token, and there are no comments. */
export type SqlToken = {
  readonly text: string
  readonly start: number
  readonly end: number
  /** A name without its quotes; keywords count as names. null: not a name. */
  readonly name: string | null
}

/** Strings, quoted names, parameters, words, numbers, and the rest. */
const TOKEN =
  /'(?:[^'\\]|\\[\s\S])*'|(`(?:[^`\\]|\\[\s\S])*`|"(?:[^"\\]|\\[\s\S])*")|\{\s*\w+\s*:[^{}]+\}|([\p{L}_][\p{L}\p{N}_]*)|\d[\w.]*|\S/gu

export const tokenize = (sql: string): readonly SqlToken[] =>
  Array.from(sql.matchAll(TOKEN), ({ 0: text, 1: quoted, 2: word, index }) => ({
    text,
    start: index,
    end: index + text.length,
    name: word ?? (quoted === undefined ? null : quoted.slice(1, -1).replace(/\\([\s\S])/g, '$1')),
  }))
