import type { FastifyReply, FastifyRequest } from 'fastify'
import type { TSchema } from 'typebox'
import type { App } from '../../app.ts'
import { strictObject } from '../../schemas/basics.ts'
import { unchecked } from '../../validation.ts'
import { ENDS, PREFIXES } from './access.ts'
import { type Fields, fieldsSchema, readFields } from './fields.ts'

/** A route of the Tinybird API. */
export type Route = {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Without the prefix. */
  readonly path: string
  readonly summary: string
  readonly description?: string
  readonly params?: Readonly<Record<string, TSchema>>
  /** Its parameters in the query or, for a POST, in the body. Absent: none. */
  readonly fields?: Fields
  /** Also accepts parameters with any other name. */
  readonly takesMore?: true
  /** Changes nothing although it is a POST. */
  readonly onlyReads?: true
  readonly answer: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>
}

/** Adds a route with and without a trailing slash. The reference shows it once. */
export const mount = (app: App, { method, path, answer, ...route }: Route): void => {
  for (const end of ENDS)
    app.route({
      method,
      url: `${path}${end}`,
      schema: { ...schemaOf(route, method), hide: end !== ENDS[0] || app.prefix !== PREFIXES[0] },
      config: { optionalBody: true, ...(route.onlyReads && { onlyReads: true }) },
      validatorCompiler: unchecked,
      handler: route.fields === undefined && method !== 'GET' ? withoutFields(answer) : answer,
    })
}

/** Otherwise `dry_run` of a call that does not know it would be ignored. What only reads may be asked for more than it tells (`attrs`, `dependencies`). */
const withoutFields =
  (answer: Route['answer']): Route['answer'] =>
  async (request, reply) => {
    readFields(request.query as Record<string, unknown>, {})
    return answer(request, reply)
  }

const schemaOf = (
  { summary, description, params, fields, takesMore }: Omit<Route, 'method' | 'path' | 'answer'>,
  method: string,
) => {
  const taken = fields && { ...fieldsSchema(fields), ...(takesMore && { additionalProperties: true }) }
  return {
    tags: ['Tinybird'],
    summary,
    ...(description !== undefined && { description }),
    ...(params && { params: strictObject(params) }),
    ...(taken && { querystring: taken }),
    ...(taken && method === 'POST' && { body: taken, consumes: FORMS }),
  }
}

const FORMS = ['application/json', 'application/x-www-form-urlencoded']

/** The names in the path of a request. */
export const namesIn = <Name extends string>({ params }: FastifyRequest): Readonly<Record<Name, string>> =>
  params as Record<Name, string>
