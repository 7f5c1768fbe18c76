import type { Data } from '../data/data.ts'
import { tableFigures } from '../data/tables/table-figures.ts'
import { type Loaded, type Staged, type WriteFailure, writeRows } from '../data/write/write-rows.ts'
import { findDataSource } from '../model/catalogue-graph.ts'
import type { WriteMode } from '../model/data-source.ts'
import type { ClaimedJob } from '../model/job.ts'
import { failed, type Outcome } from '../model/outcome.ts'
import type { ExecutionContext } from './executor.ts'

type Input = {
  readonly data: Data
  readonly job: ClaimedJob
  readonly context: ExecutionContext
  /** Name or id of the data source. */
  readonly target: string
  readonly mode: WriteMode
  /** Whether the target's materializations are updated too. */
  readonly feeds: boolean
  /** Whether `load` counts the target's rows as written, before they merge or expire. */
  readonly countsRows: boolean
  readonly quarantine: boolean
  readonly load: (staged: Staged) => Promise<Loaded | WriteFailure>
}

/** One attempt of a job that writes rows: the outcome of `writeRows`. Throws what that throws. */
export const runWrite = async (input: Input): Promise<Outcome> => {
  const { data, job, context, ...write } = input
  const { stop, clock, logger } = context
  const startedAt = clock.monotonic()
  const written = await writeRows(data, {
    job,
    ...write,
    signal: stop.signal,
    mustLeave: () => stop.cause === 'shutdown' || stop.cause === 'lease_lost' || clock.monotonic() > stop.killAt,
    onWait: message => context.waits(message),
    lendSlot: wait => context.lendSlot(wait),
    releaseSlot: () => context.releaseSlot(),
    clock,
    logger,
  })
  if (written.type === 'stopped') return written
  if (written.type === 'failed') return failed(written.reason, written.message)
  const elapsed = Math.round(clock.monotonic() - startedAt)
  const statistics = { ...written.outcome, elapsed_ms: elapsed, ...(await targetStatistics(input)) }
  return { type: 'completed', isPublished: true, statistics }
}

/** `row_count` and `bytes` of the target at the end (`api.md`, Jobs). The rows are published by now, so an error here does not fail the job. */
const targetStatistics = async ({ data, job, context, target }: Input): Promise<Readonly<Record<string, number>>> => {
  try {
    const name = findDataSource(await data.catalogue(job.workspace), target)?.name
    const [figures] = name === undefined ? [] : await tableFigures(data, job.workspace, [name])
    return figures === undefined ? {} : { row_count: figures.rowCount, bytes: figures.bytes }
  } catch (error) {
    context.logger.warn({ err: error, job_id: job.id }, 'the size of a data source could not be read')
    return {}
  }
}
