import type { JobEvent, NewJob } from '../../../model/job.ts'
import type { SubmitJobs, SubmitOutcome, SubmittedJob } from '../../store.ts'
import type { Queryable } from '../database.ts'
import { isRefusal } from '../fault.ts'
import { gather } from '../gather.ts'
import type { Session } from '../session.ts'
import { lockKeys, takenKeys } from './exclusive-keys.ts'
import { type Accepted, insertJobs } from './insert-jobs.ts'

/** Implements `submitJobs`: concurrent calls share a statement and its commit. */
export const submitter = (session: Session): ((input: SubmitJobs) => Promise<SubmitOutcome>) => {
  const store = gather<Accepted, readonly SubmittedJob[]>({
    atOnce: 2,
    largest: LARGEST_GROUP,
    weigh: call => call.jobs.length,
    mayBeOfOne: isRefusal,
    run: calls => {
      const jobs = calls.length === 1 ? calls[0]!.jobs : calls.flatMap(call => call.jobs)
      return session.queueing.ofJobs(jobs, storeCalls(session, calls, jobs))
    },
  })
  return async ({ jobs, maxQueued, idempotency }) => {
    const workspace = jobs[0]?.workspace
    if (workspace === undefined) return { type: 'submitted', jobs: [] }
    const queued = await session.queueCounts.reserve(workspace, jobs.length, maxQueued)
    if (queued !== null) return { type: 'too_many_queued', queued }
    try {
      const [submitted] = await store([{ jobs, ...(idempotency && { idempotency }) }])
      return { type: 'submitted', jobs: submitted! }
    } catch (error) {
      session.queueCounts.add(workspace, -jobs.length)
      throw error
    }
  }
}

/** Maximum number of jobs from small calls in one statement. */
const LARGEST_GROUP = 1000

const storeCalls = async (
  session: Session,
  calls: readonly Accepted[],
  jobs: readonly NewJob[],
): Promise<(readonly SubmittedJob[])[]> => {
  await session.scopeSets.keep(jobs)
  const { now, waits } = jobs.some(job => job.exclusiveKey !== null)
    ? await session.database.transaction(connection => storeWithKeys(session, connection, calls, jobs))
    : await storePlain(session, calls, jobs)
  session.recentJobs.add(jobs, now)
  const events = jobs.map((job, index) => toEvent(job, now, waits.has(index)))
  session.signals.changed({
    queued: events.some(event => event.status === 'queued'),
    pending: events.some(event => event.statusReason === 'scheduled'),
    events,
  })
  let next = 0
  return calls.map(call =>
    call.jobs.map(job => ({ id: job.id, status: events[next++]!.status as 'pending' | 'queued', createdAt: now })),
  )
}

type Stored = { readonly now: number; readonly waits: ReadonlySet<number> }
const NOBODY: ReadonlySet<number> = new Set()

const storePlain = async (session: Session, calls: readonly Accepted[], jobs: readonly NewJob[]): Promise<Stored> => {
  const now = await insertJobs(session.database, {
    now: session.now(),
    calls,
    jobs,
    scopeSetOf: scopeSetOf(session),
  })
  return { now, waits: NOBODY }
}

/** Looks up scope sets stored earlier (`ScopeSets`). */
export const scopeSetOf = (session: Session) => (scopes: readonly string[]) => session.scopeSets.idOf(scopes)

/** Under the locks of its keys: the first job of a free key is queued, the others wait. */
const storeWithKeys = async (
  session: Session,
  connection: Queryable,
  calls: readonly Accepted[],
  jobs: readonly NewJob[],
): Promise<Stored> => {
  const keyed = jobs.flatMap(({ workspace, exclusiveKey }) =>
    exclusiveKey === null ? [] : [{ workspace, exclusiveKey }],
  )
  await lockKeys(connection, keyed)
  const { now, taken } = await takenKeys(connection, keyed, session.now())
  const waits = new Set<number>()
  for (const [index, job] of jobs.entries()) {
    if (job.exclusiveKey === null || isScheduled(job, now)) continue
    const key = JSON.stringify([job.workspace, job.exclusiveKey])
    if (taken.has(key)) waits.add(index)
    else taken.add(key)
  }
  const held = new Set([...waits].map(index => jobs[index]))
  const startOf = (job: NewJob) => (held.has(job) ? 'exclusive_key' : null)
  await insertJobs(connection, { now, calls, jobs, startOf, scopeSetOf: scopeSetOf(session) })
  return { now, waits }
}

const isScheduled = (job: NewJob, now: number): boolean => job.scheduledAt !== null && job.scheduledAt > now

const toEvent = (job: NewJob, now: number, waits: boolean): JobEvent => {
  const statusReason = isScheduled(job, now) ? 'scheduled' : waits ? 'exclusive_key' : null
  return {
    jobId: job.id,
    workspace: job.workspace,
    kind: job.kind,
    runId: job.runId,
    workflowId: job.workflowId,
    parentJobId: job.parentJobId,
    status: statusReason === null ? 'queued' : 'pending',
    statusReason,
    timestamp: now,
  }
}
