import type { Data } from '../data/data.ts'
import { tableFigures } from '../data/tables/table-figures.ts'
import { type Loaded, type Staged, type WriteFailure, writeRows } from '../data/write/write-rows.ts'
import { ERRORS } from '../kernel/errors.ts'
import type { WriteMode } from '../model/data-source.ts'
import type { ClaimedJob } from '../model/job.ts'
import type { Outcome } from '../model/outcome.ts'
import { WarehouseError } from '../warehouse/warehouse.ts'
import type { ExecutionContext } from './executor.ts'
import { toFailure } from './to-failure.ts'

type Input = {
  readonly data: Data
  readonly job: ClaimedJob
  readonly context: ExecutionContext
  readonly target: string
  readonly mode: WriteMode
  /** Whether the target's materializations are updated too. */
  readonly feeds: boolean
  /** Whether `load` counts the target's rows as written, before they merge or expire. */
  readonly countsRows: boolean
  readonly quarantine: boolean
  readonly load: (staged: Staged) => Promise<Loaded | WriteFailure>
}

/** One attempt of a job that writes rows: the outcome of `writeRows`. Rethrows what `load` throws, except `WarehouseError`. */
export const runWrite = async (input: Input): Promise<Outcome> => {
  const { data, job, context, ...write } = input
  const { stop, clock, logger } = context
  const startedAt = clock.monotonic()
  const hasNoTime = () => stop.cause === 'shutdown' || stop.cause === 'lease_lost' || clock.monotonic() > stop.killAt
  try {
    const written = await writeRows(data, {
      job,
      ...write,
      signal: stop.signal,
      mustLeave: hasNoTime,
      onWait: message => context.waits(message),
      lendSlot: wait => context.lendSlot(wait),
      releaseSlot: () => context.releaseSlot(),
      clock,
      logger,
    })
    if (written.type === 'stopped') return written
    if (written.type === 'failed') return failed(written)
    return {
      type: 'completed',
      isPublished: true,
      statistics: {
        ...written.outcome,
        elapsed_ms: Math.round(clock.monotonic() - startedAt),
        ...(await targetStatistics(input)),
      },
    }
  } catch (error) {
    if (stop.cause !== null) return { type: 'stopped' }
    if (error instanceof WarehouseError) return toFailure(error)
    throw error
  }
}

export const failed = ({ reason, message }: WriteFailure): Outcome => {
  const { failure } = ERRORS[reason]
  return { type: 'failed', failure, reason, message }
}

/** `row_count` and `bytes` of the target at the end (`api.md`, Jobs). The rows are published by now, so an error here does not fail the job. */
const targetStatistics = async ({ data, job, context, target }: Input): Promise<Readonly<Record<string, number>>> => {
  try {
    const [figures] = await tableFigures(data, job.workspace, [target])
    return figures === undefined ? {} : { row_count: figures.rowCount, bytes: figures.bytes }
  } catch (error) {
    context.logger.warn({ err: error, job_id: job.id }, 'the size of a data source could not be read')
    return {}
  }
}
