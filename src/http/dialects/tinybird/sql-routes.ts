import type { FastifyReply, FastifyRequest } from 'fastify'
import { LONGEST_QUERY } from '../../../executors/query/spec.ts'
import { invalidField } from '../../../kernel/errors.ts'
import type { App } from '../../app.ts'
import type { SmallQueries } from '../../small-queries.ts'
import { givenFields, readFields, textField } from './fields.ts'
import { mount } from './mount.ts'

const SQL_FIELDS = { q: textField('One SELECT. A final FORMAT JSON has no effect.') } as const

/** Runs a small query and answers at once, in ClickHouse's JSON. */
export const sqlRoutes = (app: App, queries: SmallQueries): void => {
  const answer = async (request: FastifyRequest, reply: FastifyReply) => {
    const { q } = readFields(givenFields(request), SQL_FIELDS)
    if (!q) throw invalidField('q', 'is required')
    if (q.length > LONGEST_QUERY) throw invalidField('q', `must have at most ${LONGEST_QUERY} characters`)
    const rows = await queries.answer(request, { sql: withoutFormat(q), parameters: {}, format: 'json' })
    const data = JSON.parse(rows.toString()) as readonly unknown[]
    return reply.send({ data, rows: data.length })
  }
  for (const method of ['GET', 'POST'] as const)
    mount(app, {
      method,
      path: '/sql',
      summary: 'Run a small query directly',
      fields: SQL_FIELDS,
      onlyReads: true,
      answer,
    })
}

/** Clients add this by themselves. A text literal cannot match, because it ends with a quote. */
const withoutFormat = (sql: string): string =>
  sql
    .trimEnd()
    .replace(/;$/, '')
    .replace(/\sFORMAT\s+JSON\s*$/i, '')
