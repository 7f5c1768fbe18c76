/** Strings, and the punctuation of JSON. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/g

/**
 * The names and values in a JSON object, in order and with duplicates. A JavaScript object has one value per name, and puts integer names first: for `SELECT
 * 'a', 1, 1` it would have two columns, in reverse order.
 */
export const rowPairs = (line: string): readonly (readonly [string, unknown])[] => {
  let depth = 0
  const list = line.trim().replace(TOKEN, token => {
    if (token === '}' || token === ']') depth--
    const isOuter = depth === (token === ':' || token === ',' ? 1 : 0)
    if (token === '{' || token === '[') depth++
    return isOuter ? (AS_LISTS[token] ?? token) : token
  })
  return list === '[[]]' ? [] : JSON.parse(list)
}

/** Replaces the punctuation of the object itself. */
const AS_LISTS: Readonly<Record<string, string>> = { '{': '[[', '}': ']]', ':': ',', ',': '],[' }
