import { isId } from '../../kernel/ids.ts'
import type { EndAttempt, EndResult } from '../store.ts'
import { arrayLiteral } from './array-literal.ts'
import type { Statement } from './database.ts'
import { type Applied, endAny, endRunning } from './end-statements.ts'
import { lockKeys, promoteNext } from './exclusive-keys.ts'
import { isRefusal } from './fault.ts'
import { gather } from './gather.ts'
import { type EventRow, toEvent } from './job-rows.ts'
import { toClaimToken } from './lease-token.ts'
import type { Session } from './session.ts'

/** `endAttempts`: concurrent calls share a statement and its commit. */
export const ender = (session: Session): ((ends: readonly EndAttempt[]) => Promise<readonly EndResult[]>) => {
  const run = gather<EndAttempt, EndResult>({
    atOnce: 2,
    largest: LARGEST_GROUP,
    weigh: () => 1,
    mayBeOfOne: isRefusal,
    run: ends => endAll(session, ends),
  })
  return async ends => (ends.length === 0 ? [] : run(ends))
}

const LARGEST_GROUP = 1000

/** First the plain ends of running jobs, as nearly all are; then what is left of all. */
const endAll = async (session: Session, ends: readonly EndAttempt[]): Promise<readonly EndResult[]> => {
  const { plain, others } = sortOut(ends)
  const applied = plain.length === 0 ? [] : await endRunning(session.database, session.now(), plain)
  tell(session, applied)
  const rest = applied.length === plain.length ? others : [...others, ...without(plain, applied)]
  const later = rest.length === 0 ? [] : await session.queueing.ofAny(endLocked(session, rest))
  return toResults(session, ends, [...applied, ...later])
}

/** `plain` has at most one end of a job; what repeats a lease, or cannot be an id, is in neither. */
const sortOut = (ends: readonly EndAttempt[]): { plain: readonly EndAttempt[]; others: readonly EndAttempt[] } => {
  const plain = new Map<string, EndAttempt>()
  const others = new Map<string, EndAttempt>()
  for (const end of ends) {
    const { jobId, attempt, leaseToken } = end.lease
    if (!isId(jobId)) continue
    const first = plain.get(jobId)
    if (first?.lease.attempt === attempt && first.lease.leaseToken === leaseToken) continue
    const lease = `${jobId} ${attempt} ${leaseToken}`
    if (!first && (end.end.type === 'complete' || end.end.type === 'fail')) plain.set(jobId, end)
    else if (!others.has(lease)) others.set(lease, end)
  }
  return { plain: [...plain.values()], others: [...others.values()] }
}

const without = (ends: readonly EndAttempt[], applied: readonly Applied[]): readonly EndAttempt[] => {
  const done = new Set(applied.map(row => row.end))
  return ends.filter(end => !done.has(end))
}

const FIND_HELD: Statement = {
  name: 'find_held',
  text: `
    SELECT l.workspace, l.exclusive_key
    FROM unnest($1::uuid[], $2::integer[], $3::uuid[]) AS i (id, attempt, claim_token)
    CROSS JOIN LATERAL (
      SELECT live.workspace, live.exclusive_key FROM millrace.live
      WHERE live.id = i.id AND live.attempt = i.attempt AND live.claim_token = i.claim_token
      OFFSET 0
    ) AS l`,
}

/** Ends that put a job back, stop a cancelling one or free an exclusive key, whose lock has to come first. */
const endLocked = async (session: Session, ends: readonly EndAttempt[]): Promise<readonly Applied[]> => {
  type Held = { workspace: string; exclusive_key: string | null }
  const held = await session.database.query<Held>(FIND_HELD, [
    arrayLiteral(ends, ({ lease }) => lease.jobId),
    arrayLiteral(ends, ({ lease }) => lease.attempt),
    arrayLiteral(ends, ({ lease }) => toClaimToken(lease)),
  ])
  // Most of what is not applied at first has lost its lease.
  if (held.length === 0) return []
  const keys = held.flatMap(row =>
    row.exclusive_key === null ? [] : [{ workspace: row.workspace, exclusiveKey: row.exclusive_key }],
  )
  const { ended, promoted } = await session.database.transaction(async connection => {
    await lockKeys(connection, keys)
    const ended = await endAny(connection, session.now(), ends)
    return { ended, promoted: await promoteNext(connection, keys, session.now()) }
  })
  tell(session, ended)
  session.signals.changed({ queued: promoted.length > 0, events: promoted.map(toEvent) })
  return ended
}

const tell = (session: Session, rows: readonly Applied[]): void => {
  let queued = false
  let pending = false
  for (const { status, workspace } of rows) {
    if (status === 'queued') queued = true
    else if (status === 'pending') pending = true
    else continue
    session.queueCounts.add(workspace, 1)
  }
  session.signals.changed({ queued, pending, events: rows.map(toEvent) })
}

const STATUSES: Statement = {
  name: 'job_statuses',
  text: `
    SELECT id, status FROM millrace.live WHERE id = ANY ($1::uuid[])
    UNION ALL
    SELECT id, status FROM millrace.ended WHERE id = ANY ($1::uuid[])`,
}

/** In the order of the ends; a refused one with the status its job has now. */
const toResults = async (
  session: Session,
  ends: readonly EndAttempt[],
  rows: readonly Applied[],
): Promise<readonly EndResult[]> => {
  const applied = new Map(rows.map(row => [row.end, row.status]))
  // The same object may be there twice: only once was it applied.
  const statuses = ends.map(end => {
    const status = applied.get(end)
    applied.delete(end)
    return status
  })
  const refused = ends.filter((end, index) => statuses[index] === undefined && isId(end.lease.jobId))
  const current = await readStatuses(session, refused)
  return ends.map(({ lease: { jobId } }, index) => {
    const status = statuses[index]
    return { jobId, applied: status !== undefined, status: status ?? current.get(jobId) ?? null }
  })
}

const readStatuses = async (
  session: Session,
  ends: readonly EndAttempt[],
): Promise<ReadonlyMap<string, EventRow['status']>> => {
  if (ends.length === 0) return new Map()
  const ids = arrayLiteral(ends, ({ lease }) => lease.jobId)
  const rows = await session.database.query<Pick<EventRow, 'id' | 'status'>>(STATUSES, [ids])
  return new Map(rows.map(row => [row.id, row.status]))
}
