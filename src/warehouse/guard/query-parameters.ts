import { quoteIdentifier } from '../quote-identifier.ts'

/** `{name:Type}` outside of strings, quoted names and comments; groups: the opaque part, the name, the type. */
const TOKEN =
  /('(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"|`(?:[^`\\]|\\[\s\S])*`|--[^\n]*|\/\*[\s\S]*?\*\/)|\{\s*(\w+)\s*:\s*([^{}]+?)\s*\}/g

export type QueryParameter = { readonly name: string; readonly type: string }

/** What a query takes as parameters, in order. */
export const findQueryParameters = (sql: string): readonly QueryParameter[] =>
  [...sql.matchAll(TOKEN)].flatMap(([, opaque, name, type]) =>
    opaque === undefined ? [{ name: name!, type: type! }] : [],
  )

/** The query with NULL for each of them: of the same shape, for whoever has no values yet. */
export const withNullParameters = (sql: string): string =>
  sql.replace(TOKEN, (text, opaque) => (opaque === undefined ? 'NULL' : text))

/** The query with the names that parameters stand for (`{name:Identifier}`). */
export const withIdentifiers = (sql: string, parameters: Readonly<Record<string, unknown>>): string =>
  sql.replace(TOKEN, (text, opaque, name, type) => {
    const value = opaque === undefined && type === 'Identifier' ? parameters[name] : undefined
    return typeof value === 'string' ? quoteIdentifier(value) : text
  })
