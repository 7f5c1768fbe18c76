import type { Column } from './data-source.ts'

/**
 * Reads the columns of a data source from one line, as they stand in a CREATE TABLE or in a file of Tinybird:
 * `` id Int32, `first name` String, user String `json:$.user.id` ``. What types there are is the engine's to say. An answer of text is what
 * is wrong.
 */
export const readSchemaText = (text: string): readonly Column[] | string => {
  const columns: Column[] = []
  for (const part of splitColumns(text)) {
    const column = COLUMN.exec(part.trim())
    if (column === null) return `${JSON.stringify(part.trim().slice(0, 100))} is not a column: write a name and a type`
    const { quoted, plain, rest = '' } = column.groups!
    const path = JSON_PATH.exec(rest)
    const type = path === null ? rest : rest.slice(0, path.index).trim()
    columns.push({ name: quoted ?? plain ?? '', type, jsonPath: path?.[1] ?? null })
  }
  return columns
}

const COLUMN = /^(?:`(?<quoted>[^`]+)`|(?<plain>[^\s`]+))\s+(?<rest>.+)$/s
const JSON_PATH = /`json:([^`]+)`$/

/** A quote that is never closed goes to the end: looked for from each place behind it, the end of a long text would take minutes. */
const TOKEN = /'[^'\\]*(?:\\[\s\S][^'\\]*)*(?:'|\\?$)|`[^`]*(?:`|$)|[(),]/g

/** At commas that stand neither in parentheses nor in quotes. */
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
