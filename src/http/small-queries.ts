import type { FastifyRequest } from 'fastify'
import { expandQuery } from '../data/pipes/expand-query.ts'
import { wrongParameters } from '../data/pipes/unknown-parameters.ts'
import { MillraceError, refuseFields } from '../kernel/errors.ts'
import { newId } from '../kernel/ids.ts'
import type { ResultFormat } from '../model/job.ts'
import type { RunningQuery } from '../warehouse/warehouse.ts'
import { limitConcurrency } from './concurrency-limit.ts'
import type { Services } from './services.ts'
import { whenLeft } from './when-left.ts'

/** Limits of a query that is answered at once. */
export const SMALL_QUERY = { longestMs: 10_000, mostBytes: 10_000_000 } as const

/** A query to answer at once. */
export type SmallQuery = {
  readonly sql: string
  readonly parameters: Readonly<Record<string, unknown>>
  readonly format: ResultFormat
}

/** Answers small queries at once: without a job, without a result to fetch, and without storing anything. */
export type SmallQueries = {
  /** The whole answer. Throws `MillraceError`: `unavailable`, `answer_too_large`; `WarehouseError`. */
  answer(request: FastifyRequest, query: SmallQuery): Promise<Buffer>
}

/** Runs small queries, a limited number at once. */
export const createSmallQueries = ({ config, warehouse, data }: Services): SmallQueries => {
  const { queryMemoryBytes: memoryBytes, queryThreads: threads, queryRows: resultRows } = config
  const limits = { memoryBytes, threads, resultRows, timeoutMs: SMALL_QUERY.longestMs }
  const takePlace = limitConcurrency(config.maxWorkers, 'queries')
  return {
    answer: async (request, { sql, parameters, format }) => {
      const { workspace } = request.caller
      using _place = takePlace()
      using leaving = whenLeft(request)
      const { signal } = leaving
      const wrong = await wrongParameters(() => data.catalogue(workspace), sql, parameters)
      refuseFields(wrong)
      await data.ready(workspace)
      const expanded = await expandQuery(data, { workspace, sql, parameters })
      return collect(
        await warehouse.query({ workspace, queryId: newId(), sql: expanded, parameters, format, limits, signal }),
      )
    },
  }
}

/** Collects the whole answer, so that a query that fails halfway is refused rather than cut off. Leaving the loop cancels the query. */
const collect = async ({ content, summary }: RunningQuery): Promise<Buffer> => {
  summary.catch(() => {})
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of content) {
    size += chunk.length
    if (size > SMALL_QUERY.mostBytes)
      throw new MillraceError('answer_too_large', `The answer has more than ${SMALL_QUERY.mostBytes / 1e6} MB.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
