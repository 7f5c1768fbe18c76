import Type from 'typebox'
import { parametersProperty } from '../../executors/data-properties.ts'
import { DEFAULT_SQL_FORMAT, formatProperty, queryText } from '../../executors/query/spec.ts'
import type { App } from '../app.ts'
import { RESULT_FILES } from '../content/result-files.ts'
import { strictObject } from '../schemas/basics.ts'
import { SMALL_QUERY, type SmallQueries } from '../small-queries.ts'

const SqlBody = strictObject({ query: queryText, parameters: parametersProperty, format: formatProperty })

/** Runs a small query and answers at once. */
export const sqlRoutes = (app: App, queries: SmallQueries): void => {
  app.post(
    '/v1/sql',
    {
      config: { onlyReads: true, contentTypes: ['*/*'] },
      schema: {
        tags: ['Data'],
        summary: 'Run a small query directly',
        description: `One SELECT that takes at most ${SMALL_QUERY.longestMs / 1000} seconds and returns at most ${SMALL_QUERY.mostBytes / 1e6} MB. For larger queries use a query job. The default format is JSON.`,
        body: SqlBody,
        response: { 200: Type.Unknown({ description: 'The rows, in the requested format.' }) },
      },
    },
    async (request, reply) => {
      const { query: sql, parameters = {}, format = DEFAULT_SQL_FORMAT } = request.body
      const answer = await queries.answer(request, { sql, parameters, format })
      return reply.type(RESULT_FILES[format].type).send(answer)
    },
  )
}
