import { isId } from '../../../kernel/ids.ts'
import type { EndAttempt, EndResult } from '../../store.ts'
import { arrayLiteral } from '../array-literal.ts'
import { doomBlobs } from '../blobs.ts'
import type { Statement } from '../database.ts'
import { isRefusal } from '../fault.ts'
import { gather } from '../gather.ts'
import { lockJobs, type Work, withLocks } from '../locks.ts'
import { type FilledRow, fillRuns } from '../runs/fill-slots.ts'
import { joinExtensions } from '../runs/join-extensions.ts'
import { settle } from '../runs/settle.ts'
import type { Session } from '../session.ts'
import type { ItemLinks } from './claimed-items.ts'
import type { Effects } from './effects.ts'
import { type Applied, type AppliedAny, endAny, endItems, endRunning } from './end-statements.ts'
import { type EventRow, toEvent } from './job-rows.ts'
import { toClaimToken } from './lease-token.ts'

/**
 * Implements `endAttempts`: concurrent calls share a statement and its commit. Ends of run items go one group at a time: two concurrent groups would wait for
 * the same run, each with half the work.
 */
export const ender = (session: Session): ((ends: readonly EndAttempt[]) => Promise<readonly EndResult[]>) => {
  const options = {
    largest: LARGEST_GROUP,
    weigh: weightOf,
    mayBeOfOne: isRefusal,
    run: (ends: readonly EndAttempt[]) => endAll(session, ends),
  }
  const endAlone = gather<EndAttempt, EndResult>({ ...options, atOnce: 2 })
  const endItems = gather<EndAttempt, EndResult>({ ...options, atOnce: 1 })
  const isItem = ({ lease }: EndAttempt) => (session.claimedItems.find(lease.jobId)?.runId ?? null) !== null
  return async ends => {
    if (ends.length === 0) return []
    return ends.some(isItem) ? endItems(ends) : endAlone(ends)
  }
}

const LARGEST_GROUP = 1000
/** Keeps a group of jobs that all leave a result of maximum size below 16 MiB. */
const BYTES_AS_ONE_MORE = 4096

const weightOf = ({ end, log }: EndAttempt): number => {
  const content = end.type === 'complete' && end.result ? end.result.content : null
  const resultBytes = content && 'data' in content ? content.data.byteLength : 0
  const logBytes = log.reduce((sum, { data }) => sum + (data?.byteLength ?? 0), 0)
  return 1 + (resultBytes + logBytes) / BYTES_AS_ONE_MORE
}

/** First the plain ends of running jobs, which nearly all are; then everything left over. */
const endAll = async (session: Session, ends: readonly EndAttempt[]): Promise<readonly EndResult[]> => {
  const { plain, others } = sortOut(session, ends)
  const applied = plain.length === 0 ? [] : await endRunning(session.database, session.now(), plain)
  if (applied.length > 0) session.signals.changed({ events: applied.map(toEvent) })
  const rest = applied.length === plain.length ? others : [...others, ...without(plain, applied)]
  const later = rest.length === 0 ? [] : await endLocked(session, rest)
  return toResults(session, ends, [...applied, ...later])
}

/** `plain` has at most one end per job. Repeated leases and invalid ids are in neither list. */
const sortOut = (
  { claimedItems }: Session,
  ends: readonly EndAttempt[],
): { plain: readonly EndAttempt[]; others: readonly EndAttempt[] } => {
  const plain = new Map<string, EndAttempt>()
  const others = new Map<string, EndAttempt>()
  for (const end of ends) {
    const { jobId, attempt, leaseToken } = end.lease
    if (!isId(jobId)) continue
    const first = plain.get(jobId)
    if (first?.lease.attempt === attempt && first.lease.leaseToken === leaseToken) continue
    const lease = `${jobId} ${attempt} ${leaseToken}`
    if (!first && isSimple(end) && !claimedItems.find(jobId)) plain.set(jobId, end)
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
    SELECT l.workspace, l.item_of AS "runId", l.exclusive_key AS "exclusiveKey"
    FROM unnest($1::uuid[], $2::integer[], $3::uuid[]) AS i (id, attempt, claim_token)
    CROSS JOIN LATERAL (
      SELECT live.workspace, live.item_of, live.exclusive_key FROM millrace.live
      WHERE live.id = i.id AND live.attempt = i.attempt AND live.claim_token = i.claim_token
      OFFSET 0
    ) AS l`,
}

/** Runs and keys of the jobs whose leases are still held. */
const findLinks = async (session: Session, ends: readonly EndAttempt[]): Promise<readonly ItemLinks[]> => {
  const known = ends.map(({ lease }) => session.claimedItems.find(lease.jobId))
  const unknown = ends.filter((_, index) => known[index] === undefined)
  const links = known.filter(link => link !== undefined)
  if (unknown.length === 0) return links
  const read = await session.database.query<ItemLinks>(FIND_HELD, [
    arrayLiteral(unknown, ({ lease }) => lease.jobId),
    arrayLiteral(unknown, ({ lease }) => lease.attempt),
    arrayLiteral(unknown, ({ lease }) => toClaimToken(lease)),
  ])
  return [...links, ...read]
}

/** Ends that put a job back or stop a cancelling one, and ends of jobs with a run, an exclusive key or sinks. */
const endLocked = async (session: Session, ends: readonly EndAttempt[]): Promise<readonly Applied[]> => {
  const links = await findLinks(session, ends)
  // Most ends not applied in the first step have lost their lease.
  if (links.length === 0) return []
  const keys = links.flatMap(({ workspace, exclusiveKey }) =>
    exclusiveKey === null ? [] : [{ workspace, exclusiveKey }],
  )
  const runs = links.flatMap(({ runId }) => runId ?? [])
  const ended = await withLocks(session, { runs, keys }, async work => {
    const { ended, filled } = await endAndFill(work, ends, runs)
    noteEnds(work.effects, ended)
    await discardResults(work, ended)
    await joinExtensions(work, ended)
    work.touched.freed(keys)
    await settle(work, filled)
    return ended
  })
  for (const { lease } of ends) session.claimedItems.forget(lease.jobId)
  return ended
}

/** One round trip if nearly all completed or failed: it decides the throughput of a run with many short items. */
const endAndFill = async (
  work: Work,
  ends: readonly EndAttempt[],
  runs: readonly string[],
): Promise<{ ended: readonly AppliedAny[]; filled: readonly FilledRow[] }> => {
  const { connection, now } = work
  const simple = [...new Map(ends.filter(isSimple).map(end => [end.lease.jobId, end])).values()]
  const [, ended, filled] = await Promise.all([
    // Two statements will lock them, each in order, but not both together.
    simple.length < ends.length &&
      lockJobs(
        connection,
        ends.map(({ lease }) => lease.jobId),
      ),
    endItems(connection, now, simple),
    fillRuns(work, runs),
  ])
  if (ended.length === ends.length) return { ended, filled }
  const rest = without(ends, ended)
  const [others, filledAgain] = await Promise.all([endAny(connection, now, rest), fillRuns(work, runs)])
  return { ended: [...ended, ...others], filled: filledAgain }
}

const isSimple = ({ end }: EndAttempt): boolean => end.type === 'complete' || end.type === 'fail'

const noteEnds = (effects: Effects, rows: readonly AppliedAny[]): void => {
  effects.jobs.push(...rows)
  for (const { status, status_reason, workspace, has_sinks } of rows) {
    if (status === 'queued' || status === 'pending') effects.addWaiting(workspace, 1)
    if (status_reason === 'retry_wait') effects.pending = true
    if (has_sinks && (status === 'completed' || status === 'failed')) effects.delivery = true
  }
}

/** Dooms the result blobs of jobs that were cancelled before their attempt completed. */
const discardResults = ({ connection }: Work, rows: readonly AppliedAny[]): Promise<void> =>
  doomBlobs(
    connection,
    rows.flatMap(({ status, end: { end } }) =>
      status !== 'completed' && end.type === 'complete' && end.result && 'blobKey' in end.result.content
        ? [end.result.content.blobKey]
        : [],
    ),
  )

const STATUSES: Statement = {
  name: 'job_statuses',
  text: `
    SELECT id, status FROM millrace.live WHERE id = ANY ($1::uuid[])
    UNION ALL
    SELECT id, status FROM millrace.ended WHERE id = ANY ($1::uuid[])`,
}

/** In the order of the ends; a refused end gets the job's current status. */
const toResults = async (
  session: Session,
  ends: readonly EndAttempt[],
  rows: readonly Applied[],
): Promise<readonly EndResult[]> => {
  const applied = new Map(rows.map(row => [row.end, row.status]))
  // The same object may occur twice; it was applied only once.
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
