/** A value that can be an array element. */
export type Value = string | number | boolean | null

/**
 * An array literal in PostgreSQL's syntax (`{a,"b c",NULL}`; documentation, 8.15.6). The driver's own encoder runs each element through a general
 * conversion, and a batch of 1,000 jobs has 20,000 elements.
 */
export const arrayLiteral = <Item>(items: readonly Item[], of: (item: Item) => Value): string => {
  let text = '{'
  for (const item of items) text += text.length === 1 ? element(of(item)) : `,${element(of(item))}`
  return `${text}}`
}

/** Text that needs no quotes, unless it is the word NULL or empty. */
const PLAIN = /^[\w.:@/+-]+$/

const element = (value: Value): string => {
  if (value === null) return 'NULL'
  if (typeof value !== 'string') return String(value)
  if (PLAIN.test(value) && (value.length !== 4 || value.toLowerCase() !== 'null')) return value
  return `"${storable(value).replace(/["\\]/g, '\\$&')}"`
}

/** PostgreSQL stores every character but U+0000. */
export const storable = (text: string): string => (text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text)
