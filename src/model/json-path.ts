import type { Column } from './data-source.ts'

/** The path to a value in an object: keys, and indexes in lists, from 0. It starts with a key. */
export type JsonPath = readonly (string | number)[]

/** The syntax of a path, in words. */
export const JSON_PATH_MEANING =
  "must be a path of keys and places in lists, such as $.user.id, $['first name'], $.tags[0] or $.tags[:] for the whole list"

const PART = /\.([^.[\]'"*?@()\s][^.[\]]*)|\['((?:[^'\\]|\\.)+)'\]|\["((?:[^"\\]|\\.)+)"\]|\[(\d{1,9})\]/y

/** Parses `$.user.id`, `$['user']["id"]`, `$.tags[0]`, and `$.tags[:]`, which means the whole list (as in Tinybird's files). null: not such a path. */
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

/** Writes a path of keys in the syntax of `readJsonPath`. */
export const writeJsonPath = (keys: readonly string[]): string =>
  `$${keys.map(key => (/^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `['${key.replace(/['\\]/g, '\\$&')}']`)).join('')}`

/** The path of a column's value in an object. */
export const jsonPathOf = ({ name, jsonPath }: Pick<Column, 'name' | 'jsonPath'>): JsonPath =>
  (jsonPath === null ? null : readJsonPath(jsonPath)) ?? [name]
