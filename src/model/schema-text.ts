import type { Column } from './data-source.ts'

/**
 * Parses the columns of a data source from one line, in the syntax of CREATE TABLE or of a Tinybird file: `` id Int32, `first name` String, user String
 * `json:$.user.id` DEFAULT 'nobody' ``. Types are checked by the engine. Returns a message if the line is faulty.
 */
export const readSchemaText = (text: string): readonly Column[] | string => {
  const columns: Column[] = []
  for (const part of splitColumns(text)) {
    const column = COLUMN.exec(part.trim())
    if (column === null) return `${JSON.stringify(part.trim().slice(0, 100))} is not a column: write a name and a type`
    const { quoted, plain, rest = '' } = column.groups!
    const [typeAndPath, given] = splitDefault(rest)
    const path = JSON_PATH.exec(typeAndPath)
    const type = path === null ? typeAndPath : typeAndPath.slice(0, path.index).trim()
    columns.push({
      name: quoted ?? plain ?? '',
      type,
      jsonPath: path?.[1] ?? null,
      ...(given !== null && { default: given }),
    })
  }
  return columns
}

const COLUMN = /^(?:`(?<quoted>[^`]+)`|(?<plain>[^\s`]+))\s+(?<rest>.+)$/s
const JSON_PATH = /`json:([^`]+)`$/

/** An unclosed quote extends to the end: retrying from every place after it would take minutes for a long text. */
const TOKEN = /'[^'\\]*(?:\\[\s\S][^'\\]*)*(?:'|\\?$)|`[^`]*(?:`|$)|[(),]/g

const TOKEN_OR_DEFAULT = new RegExp(`${TOKEN.source}|\\bdefault\\b`, 'gi')

/** Splits at the first DEFAULT outside parentheses and quotes. */
const splitDefault = (text: string): readonly [string, string | null] => {
  let depth = 0
  for (const { 0: found, index } of text.matchAll(TOKEN_OR_DEFAULT)) {
    if (found === '(') depth += 1
    if (found === ')') depth -= 1
    if (depth === 0 && /^default$/i.test(found))
      return [text.slice(0, index).trim(), text.slice(index + found.length).trim()]
  }
  return [text, null]
}

/** Splits at commas outside parentheses and quotes. */
const splitColumns = (text: string): readonly string[] => {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (const { 0: found, index } of text.matchAll(TOKEN)) {
    if (found === '(') depth += 1
    if (found === ')') depth -= 1
    if (found !== ',' || depth > 0) continue
    parts.push(text.slice(start, index))
    start = index + 1
  }
  return [...parts, text.slice(start)]
}
