import type { RouteOptions } from 'fastify'
import type { App } from './app.ts'

type Property = { readonly type?: string | readonly string[]; readonly items?: { readonly enum?: unknown } }
type Reader = (value: unknown) => unknown

/**
 * Converts the texts of a query to the types in the route's schema: numbers, booleans and lists (repeated or comma-separated). Leaves what it cannot convert
 * to validation. A route without a query schema accepts no query.
 */
export const readQueries = (app: App): void => {
  app.addHook('onRoute', route => {
    route.schema ??= {}
    route.schema.querystring ??= { type: 'object', properties: {}, additionalProperties: false }
    const readers = readersOf(route)
    if (readers.length > 0) route.config = { ...route.config, query: readers }
  })
  app.addHook('preValidation', (request, _reply, done) => {
    const readers = request.routeOptions.config.query
    if (readers) {
      const query = request.query as Record<string, unknown>
      for (const [name, read] of readers) if (query[name] !== undefined) query[name] = read(query[name])
    }
    done()
  })
}

/** The parameters of a route that are not texts, and how each is converted. */
export type QueryReaders = readonly (readonly [string, Reader])[]

const readersOf = (route: RouteOptions): QueryReaders => {
  const schema = route.schema?.querystring as { properties?: Record<string, Property> } | undefined
  return Object.entries(schema?.properties ?? {}).flatMap(([name, property]) => {
    const read = READERS[property.items?.enum ? 'words' : String(property.type)]
    return read ? [[name, read] as const] : []
  })
}

const READERS: Readonly<Record<string, Reader>> = {
  integer: value => (typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value),
  number: value => (typeof value === 'string' && /^-?\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : value),
  boolean: value => (value === 'true' || value === '' ? true : value === 'false' ? false : value),
  words: value => [value].flat().flatMap(item => String(item).split(',')),
  /** Free texts may contain commas, so these lists are only repeated. */
  array: value => [value].flat(),
}
