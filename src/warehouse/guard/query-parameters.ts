import { quoteIdentifier } from '../quote-identifier.ts'
import { quoteText } from '../quote-text.ts'

/**
 * `{name:Type}` outside strings, quoted names and comments. Groups: the opaque part, the tag of a dollar-quoted string, the name, the type with surrounding
 * space. An unclosed string or comment extends to the end; no engine accepts that. Retrying from every possible start would take hours for a megabyte.
 */
const TOKEN =
  /('[^'\\]*(?:\\[\s\S][^'\\]*)*(?:'|\\?$)|"[^"\\]*(?:\\[\s\S][^"\\]*)*(?:"|\\?$)|`[^`\\]*(?:\\[\s\S][^`\\]*)*(?:`|\\?$)|--[^\n]*|#[ !][^\n]*|\/\*(?:[\s\S]*?\*\/|[\s\S]*)|(?<![\w$])\$(\w*)\$(?:[\s\S]*?\$\2\$|[\s\S]*))|\{\s*(\w+)\s*:([^{}]+)\}/g

export type QueryParameter = { readonly name: string; readonly type: string }

/** The parameters of a query, in order of appearance. */
export const findQueryParameters = (sql: string): readonly QueryParameter[] =>
  [...sql.matchAll(TOKEN)].flatMap(([, opaque, , name, type]) =>
    opaque === undefined ? [{ name: name!, type: type!.trim() }] : [],
  )

/** The query with NULL for every parameter: it has the same structure, and needs no values. */
export const withNullParameters = (sql: string): string =>
  sql.replace(TOKEN, (text, opaque) => (opaque === undefined ? 'NULL' : text))

/**
 * Two variants of the query with a typed value for every parameter, so that its columns have their final types. In the first, the values are constants, which
 * some clauses require (LIMIT). In the second, texts and times are not constant; the engine would try to parse a constant default (`toDate('')`).
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

/** The query with the names substituted for `{name:Identifier}`. */
export const withIdentifiers = (sql: string, parameters: Readonly<Record<string, unknown>>): string =>
  sql.replace(TOKEN, (text, opaque, _tag, name, type) => {
    const value = opaque === undefined && type.trim() === 'Identifier' ? parameters[name] : undefined
    return typeof value === 'string' ? quoteIdentifier(value) : text
  })
