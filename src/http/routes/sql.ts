import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { expandPipes } from '../../data/expand-pipes.ts'
import { parametersProperty } from '../../executors/data-properties.ts'
import { DEFAULT_SQL_FORMAT, formatProperty, queryText } from '../../executors/query/spec.ts'
import { MillraceError } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import type { RunningQuery } from '../../warehouse/warehouse.ts'
import type { App } from '../app.ts'
import { RESULT_FILES } from '../result-files.ts'
import { strictObject } from '../schemas/basics.ts'
import type { Services } from '../services.ts'

const LONGEST_MS = 10_000
const MOST_BYTES = 10_000_000

const SqlBody = strictObject({ query: queryText, parameters: parametersProperty, format: formatProperty })

/** A small query that is answered at once: no job, no result to fetch, nothing kept. */
export const sqlRoutes = (app: App, { config, warehouse, data }: Services): void => {
  const { queryMemoryBytes: memoryBytes, queryThreads: threads, queryRows: resultRows } = config
  const limits = { memoryBytes, threads, resultRows, timeoutMs: LONGEST_MS }
  const room = createRoom(config.maxWorkers)

  app.post(
    '/v1/sql',
    {
      config: { onlyReads: true },
      schema: {
        tags: ['Data'],
        summary: 'Answer a small query at once',
        description: `One SELECT, for at most ${LONGEST_MS / 1000} seconds and ${MOST_BYTES / 1e6} MB; as a job of kind query it may be larger. JSON unless format says otherwise.`,
        body: SqlBody,
        response: { 200: Type.Unknown({ description: 'The rows, in the format asked for.' }) },
      },
    },
    async (request, reply) => {
      const { query: sql, parameters = {}, format = DEFAULT_SQL_FORMAT } = request.body
      const { workspace } = request.caller
      using _place = room.enter()
      using leaving = whenLeft(request)
      const { signal } = leaving
      await data.ready(workspace)
      const expanded = await expandPipes(data, { workspace, sql })
      const asked = { workspace, queryId: newId(), sql: expanded, parameters, format, limits, signal }
      const running = await warehouse.query(asked)
      const answer = await collect(running)
      return reply.type(RESULT_FILES[format].type).send(answer)
    },
  )
}

/** As many at once as the server runs jobs, beside them: each may take a query's whole memory. */
const createRoom = (places: number) => {
  let taken = 0
  return {
    enter: (): Disposable => {
      if (taken >= places)
        throw new MillraceError('unavailable', `At most ${places} queries are answered here at once.`, {
          retryAfter: 1,
        })
      taken += 1
      return {
        [Symbol.dispose]: () => {
          taken -= 1
        },
      }
    },
  }
}

/** Aborts when the client goes away before it has its answer. */
const whenLeft = ({ raw: { socket } }: FastifyRequest): Disposable & { readonly signal: AbortSignal } => {
  const leaving = new AbortController()
  const leave = (): void => leaving.abort()
  socket.once('close', leave)
  return { signal: leaving.signal, [Symbol.dispose]: () => socket.off('close', leave) }
}

/** The whole answer, so that a query which fails half-way is refused and not cut off. Leaving the content ends the query. */
const collect = async ({ content, summary }: RunningQuery): Promise<Buffer> => {
  summary.catch(() => {})
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of content) {
    size += chunk.length
    if (size > MOST_BYTES)
      throw new MillraceError('answer_too_large', `The answer has more than ${MOST_BYTES / 1e6} MB.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
