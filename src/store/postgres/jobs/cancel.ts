import { isId } from '../../../kernel/ids.ts'
import { type CancelReason, isEnded } from '../../../model/job-status.ts'
import type { CancelOutcome, JobFilters } from '../../store.ts'
import { arrayLiteral } from '../array-literal.ts'
import type { Queryable, Statement } from '../database.ts'
import { withLocks } from '../locks.ts'
import { type Cancel, cancelLocked } from '../runs/cancel-locked.ts'
import { settle } from '../runs/settle.ts'
import type { Session } from '../session.ts'
import type { EventRow } from './job-rows.ts'
import { scanPage } from './list.ts'
import { readJob } from './read-job.ts'

type Target = {
  readonly id: string
  readonly workspace: string
  readonly item_of: string | null
  readonly exclusive_key: string | null
}

/** Implements `cancelJob`. */
export const cancelJob = async (
  session: Session,
  { workspace, jobId, ...cancel }: { workspace: string; jobId: string } & Cancel,
): Promise<CancelOutcome> => {
  if (!isId(jobId)) return { type: 'not_found' }
  // Read while the row is locked: otherwise the worker could end the job first.
  const read = (connection: Queryable) => readJob(connection, { workspace, jobId })
  const outcome = await cancelAll(session, { workspace, ids: [jobId], ...cancel }, read)
  const job = outcome ? outcome.read : await read(session.database)
  if (!job) return { type: 'not_found' }
  const isNew = outcome !== null && outcome.changed.length > 0
  if (outcome?.changed[0]?.status === 'cancelled') return { type: 'cancelled', isNew, job }
  return isEnded(job.status) ? { type: 'ended', job } : { type: 'cancelling', isNew, job }
}

const CANCELLABLE = ['pending', 'queued', 'running'] as const

/** Implements `cancelMatching`: pages through matching jobs until a page has something to cancel. */
export const cancelMatching = async (
  session: Session,
  {
    workspace,
    filters,
    limit,
    reason,
  }: {
    workspace: string
    filters: JobFilters
    reason: CancelReason
    limit: number
  },
): Promise<{ cancelled: number; cancelling: number }> => {
  const status = CANCELLABLE.filter(status => filters.status?.includes(status) ?? true)
  if (status.length === 0) return { cancelled: 0, cancelling: 0 }
  let below: number | null = null
  do {
    const page = await scanPage(session.database.lister, { workspace, filters: { ...filters, status }, limit, below })
    const ids = page.rows.map(row => row.id)
    const outcome = await cancelAll(session, { workspace, ids, reason, graceMs: null }, async () => null)
    const changed = outcome?.changed ?? []
    const cancelled = changed.filter(row => row.status === 'cancelled').length
    if (changed.length > 0) return { cancelled, cancelling: changed.length - cancelled }
    below = page.below
  } while (below !== null)
  return { cancelled: 0, cancelling: 0 }
}

const FIND_TARGETS: Statement = {
  name: 'find_cancel_targets',
  text: 'SELECT id, workspace, item_of, exclusive_key FROM millrace.live WHERE id = ANY ($1::uuid[]) AND workspace = $2',
}

/** Cancels the jobs that have not ended and returns those whose status changed. null: all have ended. */
const cancelAll = async <T>(
  session: Session,
  { workspace, ids, reason, graceMs }: { workspace: string; ids: readonly string[] } & Cancel,
  readAfter: (connection: Queryable) => Promise<T>,
): Promise<{ changed: readonly EventRow[]; read: T } | null> => {
  const targets = await session.database.query<Target>(FIND_TARGETS, [arrayLiteral(ids, id => id), workspace])
  if (targets.length === 0) return null
  const keys = targets.flatMap(({ workspace, exclusive_key }) =>
    exclusive_key === null ? [] : [{ workspace, exclusiveKey: exclusive_key }],
  )
  const runs = targets.flatMap(target => target.item_of ?? [])
  return withLocks(session, { runs, keys }, async work => {
    const changed = await cancelLocked(work, { ids: targets.map(target => target.id), reason, graceMs })
    work.touched.freed(keys)
    await settle(work)
    return { changed, read: await readAfter(work.connection) }
  })
}
