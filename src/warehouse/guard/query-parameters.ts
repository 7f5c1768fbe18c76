import { quoteIdentifier } from '../quote-identifier.ts'
import { quoteText } from '../quote-text.ts'

/**
 * `{name:Type}` outside of strings, quoted names and comments; groups: the opaque part, the tag of a string between dollars, the name, the type with the
 * space around it. What is opened and never closed goes to the end, which no engine reads: looked for from each place where one could begin, the end of a
 * megabyte would be hours away.
 */
const TOKEN =
  /('[^'\\]*(?:\\[\s\S][^'\\]*)*(?:'|\\?$)|"[^"\\]*(?:\\[\s\S][^"\\]*)*(?:"|\\?$)|`[^`\\]*(?:\\[\s\S][^`\\]*)*(?:`|\\?$)|--[^\n]*|#[ !][^\n]*|\/\*(?:[\s\S]*?\*\/|[\s\S]*)|(?<![\w$])\$(\w*)\$(?:[\s\S]*?\$\2\$|[\s\S]*))|\{\s*(\w+)\s*:([^{}]+)\}/g

export type QueryParameter = { readonly name: string; readonly type: string }

/** What a query takes as parameters, in order. */
export const findQueryParameters = (sql: string): readonly QueryParameter[] =>
  [...sql.matchAll(TOKEN)].flatMap(([, opaque, , name, type]) =>
    opaque === undefined ? [{ name: name!, type: type!.trim() }] : [],
  )

/** The query with NULL for each of them: of the same shape, for whoever has no values yet. */
export const withNullParameters = (sql: string): string =>
  sql.replace(TOKEN, (text, opaque) => (opaque === undefined ? 'NULL' : text))

/**
 * Texts of the query with a value of its type for each of them, so that its columns have the types that they will have. In the first, values are constants, which some
 * places need (LIMIT); in the second, texts and times are none, for which an engine would look whether the default can be read (`toDate('')`).
 */
export const withTypedParameters = (sql: string): readonly string[] => {
  const withEach = (toSql: (type: string) => string): string =>
    sql.replace(TOKEN, (text, opaque, _tag, _name, type) => (opaque === undefined ? toSql(type.trim()) : text))
  const constant = (type: string): string => `defaultValueOfTypeName(${quoteText(type)})`
  return [
    withEach(constant),
    withEach(type => (IS_READ.test(type) ? `materialize(${constant(type)})` : constant(type))),
  ]
}

const IS_READ = /^(LowCardinality\(|Nullable\(|Fixed)*(String|Date|UUID|IPv)/

/** The query with the names that parameters stand for (`{name:Identifier}`). */
export const withIdentifiers = (sql: string, parameters: Readonly<Record<string, unknown>>): string =>
  sql.replace(TOKEN, (text, opaque, _tag, name, type) => {
    const value = opaque === undefined && type.trim() === 'Identifier' ? parameters[name] : undefined
    return typeof value === 'string' ? quoteIdentifier(value) : text
  })
