import type { Column } from './data-source.ts'

/** The way to a value in an object: keys, and places in lists, from 0. Its first part is a key. */
export type JsonPath = readonly (string | number)[]

/** What a path may be, in words. */
export const JSON_PATH_MEANING =
  "must be a path of keys and places in lists, such as $.user.id, $['first name'], $.tags[0] or $.tags[:] for the whole list"

const PART = /\.([^.[\]'"*?@()\s][^.[\]]*)|\['((?:[^'\\]|\\.)+)'\]|\["((?:[^"\\]|\\.)+)"\]|\[(\d{1,9})\]/y

/** Reads `$.user.id`, `$['user']["id"]`, `$.tags[0]`, and `$.tags[:]`, which is the whole list (so in files of Tinybird). null: it is nothing of the kind. */
export const readJsonPath = (text: string): JsonPath | null => {
  if (!text.startsWith('$')) return null
  const whole = text.endsWith('[:]') ? text.slice(0, -'[:]'.length) : text
  const path: (string | number)[] = []
  for (PART.lastIndex = 1; PART.lastIndex < whole.length; ) {
    const found = PART.exec(whole)
    if (found === null) return null
    const [, plain, single, double, place] = found
    path.push(place === undefined ? (plain ?? (single ?? double)!.replace(/\\(.)/g, '$1')) : Number(place))
  }
  return typeof path[0] === 'string' ? path : null
}

/** A path of keys as text, which `readJsonPath` reads. */
export const writeJsonPath = (keys: readonly string[]): string =>
  `$${keys.map(key => (/^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `['${key.replace(/['\\]/g, '\\$&')}']`)).join('')}`

/** Where objects have the value of a column. */
export const jsonPathOf = ({ name, jsonPath }: Pick<Column, 'name' | 'jsonPath'>): JsonPath =>
  (jsonPath === null ? null : readJsonPath(jsonPath)) ?? [name]
