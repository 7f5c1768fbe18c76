/** A quote that is never closed goes to the end: looked for from each place behind it, the end of a long text would take minutes. */
const TOKEN = /'[^'\\]*(?:\\[\s\S][^'\\]*)*(?:'|\\?$)|`[^`\\]*(?:\\[\s\S][^`\\]*)*(?:`|\\?$)|[(),]/g

/** What is in the parentheses of a type of ClickHouse, split at the commas that are in no further parentheses and no quotes. */
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
