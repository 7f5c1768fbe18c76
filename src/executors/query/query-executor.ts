import type { Data } from '../../data/data.ts'
import { expandQuery } from '../../data/pipes/expand-query.ts'
import { insertQuery } from '../../data/write/insert-query.ts'
import { columnsFault } from '../../data/write/match-columns.ts'
import { MillraceError } from '../../kernel/errors.ts'
import { unlessAborted } from '../../kernel/unless-aborted.ts'
import type { ClaimedJob } from '../../model/job.ts'
import { failed, type Outcome } from '../../model/outcome.ts'
import { limitSettings } from '../../warehouse/limit-settings.ts'
import { type QueryLimits, type QuerySummary, type Warehouse, WarehouseError } from '../../warehouse/warehouse.ts'
import { createDataExecutor } from '../data-executor.ts'
import { warehouseHealth, warehouseWarnings } from '../data-health.ts'
import type { ExecutionContext, Executor } from '../executor.ts'
import { followProgress, type ProgressFollower } from '../follow-progress.ts'
import { withStatementProgress } from '../follow-statements.ts'
import { runWrite } from '../run-write.ts'
import { DEFAULT_FORMAT, type QuerySpec } from './spec.ts'

type Options = {
  readonly data: Data
  readonly limits: Omit<QueryLimits, 'timeoutMs'>
  /** `JOB_MAX_RESULT_BYTES` */
  readonly maxResultBytes: number
}

/** Runs SELECTs in the warehouse and streams the rows into the job's result, or into a data source. */
export const createQueryExecutor = (options: Options): Executor =>
  createDataExecutor({
    kind: 'query',
    data: options.data,
    // Reports warnings about the engine once, not for every kind that needs it.
    health: async () => {
      const problems = await warehouseHealth(options.data)
      return problems.length > 0 ? problems : warehouseWarnings(options.data)
    },
    run: async (job, context) => {
      const spec = JSON.parse(job.spec) as QuerySpec
      const running = { job, context, spec }
      return spec.datasource === undefined
        ? runQuery(options, { ...running, sql: await expand(options.data, running) })
        : putRows(options, { ...running, target: spec.datasource })
    },
  })

type Running = { readonly job: ClaimedJob; readonly context: ExecutionContext; readonly spec: QuerySpec }

/** Waits until the engine is ready and expands the query. Neither an engine's start nor its check of SQL can be cancelled. */
const expand = async (data: Data, { job, context, spec }: Running): Promise<string> => {
  const { workspace } = job
  const { signal } = context.stop
  const { query: sql, parameters = {} } = spec
  await unlessAborted(signal, data.ready(workspace))
  return unlessAborted(signal, expandQuery(data, { workspace, sql, parameters }))
}

type Expanded = Running & { readonly sql: string }

/** Leaves nothing in the engine when it has ended. */
const runQuery = async (options: Options, expanded: Expanded): Promise<Outcome> => {
  const { job, context } = expanded
  const { warehouse } = options.data
  // Two attempts of a job may overlap in the engine: the first may not have noticed yet that its worker is gone.
  const query = { workspace: job.workspace, queryId: `${job.id}.${job.attempt}` }
  const progress = followProgress(() => warehouse.progress(query), context)
  const stopping = cancelWhenStopped(warehouse, query, context)
  try {
    return await keepRows(options, { ...expanded, queryId: query.queryId, progress })
  } catch (error) {
    // If the disk is full or the result too large, the query itself would go on.
    if (context.stop.cause === null && !(error instanceof WarehouseError)) await cancel(warehouse, query, context)
    if (context.stop.cause !== null || !isTooLarge(error)) throw error
    const message = `The result has more than ${options.maxResultBytes} bytes (JOB_MAX_RESULT_BYTES).`
    return failed('result_too_large', message)
  } finally {
    await Promise.all([progress.end(), stopping.end()])
  }
}

type Attempt = Expanded & {
  readonly queryId: string
  readonly progress: ProgressFollower
}

const keepRows = async (options: Options, attempt: Attempt): Promise<Outcome> => {
  const { job, context, spec, sql, queryId, progress } = attempt
  const { format = DEFAULT_FORMAT, parameters = {} } = spec
  const { content, summary } = await options.data.warehouse.query({
    workspace: job.workspace,
    queryId,
    sql,
    parameters,
    format,
    limits: { ...options.limits, timeoutMs: job.timeoutMs },
    signal: context.stop.signal,
  })
  // Fails together with the content, which reports the error.
  summary.catch(() => {})
  const result = await context.keepResultStream({ format, content, maxBytes: options.maxResultBytes })
  const { rowCount, elapsedMs, ...read } = await summary
  const statistics = { row_count: rowCount, bytes: result.bytes, elapsed_ms: elapsedMs }
  return { type: 'completed', result, statistics: { ...statistics, ...readStatistics(read, progress.latest()) } }
}

/** Writes the rows to a data source, all or none. */
const putRows = (options: Options, { job, context, spec, target }: Running & { target: string }): Promise<Outcome> => {
  const { data, limits } = options
  const { workspace } = job
  return runWrite({
    data,
    job,
    context,
    target,
    mode: spec.mode ?? 'append',
    feeds: true,
    countsRows: true,
    quarantine: false,
    load: async staged => {
      const { parameters = {} } = spec
      const { signal } = context.stop
      const sql = await unlessAborted(signal, expandQuery(data, { workspace, sql: spec.query, parameters }))
      const settings = limitSettings({ ...limits, timeoutMs: job.timeoutMs })
      return withStatementProgress(staged.statements, context, () =>
        insertQuery({ data, staged, sql, parameters, fault: columnsFault, settings }),
      )
    },
  })
}

type Read = Pick<QuerySummary, 'rowsRead' | 'bytesRead'>

/** The embedded engine's summary may be older than the latest progress, so the larger figure counts. */
const readStatistics = (end: Read, latest: Read | null): Readonly<Record<string, number>> => ({
  rows_read: Math.max(end.rowsRead, latest?.rowsRead ?? 0),
  bytes_read: Math.max(end.bytesRead, latest?.bytesRead ?? 0),
})

const isTooLarge = (error: unknown): boolean => error instanceof MillraceError && error.code === 'too_large'

type QueryName = { readonly workspace: string; readonly queryId: string }

/** Cancels the query at the first cause of a stop. `end` resolves when the engine has received it. */
const cancelWhenStopped = (warehouse: Warehouse, query: QueryName, context: ExecutionContext) => {
  let cancelling: Promise<void> | null = null
  const look = (): void => {
    if (context.stop.cause !== null) cancelling ??= cancel(warehouse, query, context)
  }
  const unsubscribe = context.stop.onChange(look)
  look()
  return {
    end: async (): Promise<void> => {
      unsubscribe()
      await cancelling
    },
  }
}

/** An engine that cannot be reached has lost its queries, too. */
const cancel = async (warehouse: Warehouse, query: QueryName, { logger }: ExecutionContext): Promise<void> => {
  try {
    await warehouse.cancel(query)
  } catch (error) {
    logger.warn({ err: error, query_id: query.queryId }, 'a query could not be cancelled')
  }
}
