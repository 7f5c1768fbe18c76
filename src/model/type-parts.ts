/** An unclosed quote extends to the end: retrying from every place after it would take minutes for a long text. */
const TOKEN = /'[^'\\]*(?:\\[\s\S][^'\\]*)*(?:'|\\?$)|`[^`\\]*(?:\\[\s\S][^`\\]*)*(?:`|\\?$)|[(),]/g

/** The arguments of a ClickHouse type, split at the commas outside inner parentheses and quotes. */
export const typeParts = (text: string): readonly string[] => {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === '(') depth++
    if (token === ')') depth--
    if (token !== ',' || depth > 0) continue
    parts.push(text.slice(from, index).trim())
    from = index + 1
  }
  return [...parts, text.slice(from).trim()]
}
