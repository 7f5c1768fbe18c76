/** Strings, and what a value is put together of. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/g

/**
 * Names and values of an object in JSON, as they stand there. An object of JavaScript has one value a name, and those first whose names are whole numbers:
 * of `SELECT 'a', 1, 1` it would have two columns, the second before the first.
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

/** Of the object itself. */
const AS_LISTS: Readonly<Record<string, string>> = { '{': '[[', '}': ']]', ':': ',', ',': '],[' }
