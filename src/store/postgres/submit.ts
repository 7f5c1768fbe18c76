import type { JobEvent, NewJob } from '../../model/job.ts'
import type { IdempotencyKey, SubmitJobs, SubmitOutcome, SubmittedJob } from '../store.ts'
import { arrayLiteral, storable } from './array-literal.ts'
import type { Queryable, Statement } from './database.ts'
import { lockKeys, takenKeys } from './exclusive-keys.ts'
import { gather } from './gather.ts'
import { KEEP_MS } from './idempotency.ts'
import type { Session } from './session.ts'

/** One call, once there is room for it. */
type Accepted = Pick<SubmitJobs, 'jobs' | 'idempotency'>

/** `submitJobs`: concurrent calls share a statement and its commit. */
export const submitter = (session: Session): ((input: SubmitJobs) => Promise<SubmitOutcome>) => {
  const store = gather<Accepted, readonly SubmittedJob[]>({
    atOnce: 2,
    largest: LARGEST_GROUP,
    weigh: call => call.jobs.length,
    run: calls => storeCalls(session, calls),
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

/** Jobs of small calls that share a statement. */
const LARGEST_GROUP = 1000

const storeCalls = async (session: Session, calls: readonly Accepted[]): Promise<(readonly SubmittedJob[])[]> => {
  const jobs = calls.length === 1 ? calls[0]!.jobs : calls.flatMap(call => call.jobs)
  const { now, waits } = jobs.some(job => job.exclusiveKey !== null)
    ? await session.database.transaction(connection => storeWithKeys(session, connection, calls, jobs))
    : await storePlain(session, calls, jobs)
  const events = jobs.map((job, index) => toEvent(job, now, waits[index] ?? false))
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

type Stored = { readonly now: number; readonly waits: readonly boolean[] }

const storePlain = async (session: Session, calls: readonly Accepted[], jobs: readonly NewJob[]): Promise<Stored> => {
  const now = await insert(session.database, session.now(), calls, jobs, [])
  return { now, waits: [] }
}

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
  const waits = jobs.map(job => {
    if (job.exclusiveKey === null || isScheduled(job, now)) return false
    const key = JSON.stringify([job.workspace, job.exclusiveKey])
    if (taken.has(key)) return true
    taken.add(key)
    return false
  })
  await insert(connection, now, calls, jobs, waits)
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

const INSERT: Statement = {
  name: 'submit_jobs',
  text: `
    WITH clock AS (SELECT millrace.clock($1::bigint) AS now, nextval('millrace.job_sequence') AS base),
    input AS (
      SELECT i.*, clock.now, clock.base + i.position AS sequence,
        CASE WHEN i.scheduled_at > clock.now THEN 'scheduled' WHEN i.waits THEN 'exclusive_key' END AS waits_for
      FROM clock, unnest(
        $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::smallint[], $9::text[],
        $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::bigint[], $16::bigint[], $17::bigint[],
        $18::text[], $19::boolean[], $20::text[], $21::text[], $22::text[], $23::boolean[]
      ) WITH ORDINALITY AS i (
        id, workspace, kind, name, labels, queue, priority, trigger,
        workflow_id, run_id, parent_job_id, rerun_of, exclusive_key, scheduled_at, timeout_ms, grace_ms,
        retry, restartable, spec, scopes, secrets, waits, position
      )
    ),
    body AS (
      INSERT INTO millrace.job (
        id, workspace, sequence, created_at, priority, restartable, kind, trigger, queue, name, labels, workflow_id,
        run_id, parent_job_id, rerun_of, exclusive_key, scheduled_at, timeout_ms, grace_ms, retry, scopes, spec, secrets
      )
      SELECT
        id, workspace, sequence, now, priority, restartable, kind, trigger, queue, name, labels, workflow_id,
        run_id, parent_job_id, rerun_of, exclusive_key, scheduled_at, timeout_ms, grace_ms, retry, scopes, spec,
        decode(secrets, 'hex')
      FROM input
    ),
    state AS (
      INSERT INTO millrace.live (
        id, sequence, updated_at, queued_at, due_at, priority, workspace, kind, status, status_reason,
        run_id, workflow_id, parent_job_id, exclusive_key
      )
      SELECT
        id, sequence, now, CASE WHEN waits_for IS NULL THEN now END,
        CASE WHEN waits_for = 'scheduled' THEN scheduled_at END, priority, workspace, kind,
        CASE WHEN waits_for IS NULL THEN 'queued' ELSE 'pending' END, waits_for,
        run_id, workflow_id, parent_job_id, exclusive_key
      FROM input
    ),
    label AS (
      INSERT INTO millrace.job_label (workspace, key, value, sequence, job_id)
      SELECT l.workspace, l.key, l.value, clock.base + l.position, l.job_id
      FROM clock, unnest($24::bigint[], $25::text[], $26::text[], $27::text[], $28::uuid[])
        AS l (position, workspace, key, value, job_id)
    ),
    answer AS (
      UPDATE millrace.idempotency AS i
      SET status = 201, expires_at = clock.now + ${KEEP_MS},
        submitted = json_build_object('shape', a.shape, 'createdAt', clock.now, 'jobs', (
          SELECT json_agg(json_build_array(
            input.id, CASE WHEN input.waits_for IS NULL THEN 'queued' ELSE 'pending' END) ORDER BY input.position)
          FROM input WHERE input.position BETWEEN a.first_position AND a.last_position))
      FROM clock, unnest($29::text[], $30::text[], $31::text[], $32::text[], $33::text[], $34::bigint[], $35::bigint[])
        AS a (workspace, method, path, key, shape, first_position, last_position)
      WHERE i.workspace = a.workspace AND i.method = a.method AND i.path = a.path AND i.key = a.key
    )
    SELECT now FROM clock`,
}

const insert = async (
  target: Queryable,
  now: number | null,
  calls: readonly Accepted[],
  jobs: readonly NewJob[],
  waits: readonly boolean[],
): Promise<number> => {
  const rows = await target.query<{ now: number }>(INSERT, [
    now,
    ...jobColumns(jobs),
    arrayLiteral(jobs.map((_, index) => waits[index] ?? false)),
    ...labelColumns(jobs),
    ...answerColumns(calls),
  ])
  return rows[0]!.now
}

const jobColumns = (jobs: readonly NewJob[]): string[] => {
  const column = (value: (job: NewJob) => string | number | boolean | null) => arrayLiteral(jobs.map(value))
  return [
    column(job => job.id),
    column(job => job.workspace),
    column(job => job.kind),
    column(job => job.name),
    column(job => JSON.stringify(job.labels)),
    column(job => job.queue),
    column(job => job.priority),
    column(job => job.trigger),
    column(job => job.workflowId),
    column(job => job.runId),
    column(job => job.parentJobId),
    column(job => job.rerunOf),
    column(job => job.exclusiveKey),
    column(job => job.scheduledAt),
    column(job => job.timeoutMs),
    column(job => job.graceMs),
    column(job => JSON.stringify(job.retry)),
    column(job => job.restartable),
    column(job => job.spec),
    column(job => JSON.stringify(job.scopes)),
    column(job => (job.secrets === null ? null : Buffer.from(job.secrets).toString('hex'))),
  ]
}

const labelColumns = (jobs: readonly NewJob[]): string[] => {
  const labels = jobs.flatMap((job, index) =>
    Object.entries(job.labels).map(([key, value]) => ({
      position: index + 1,
      job,
      key: storable(key),
      value: storable(value),
    })),
  )
  return [
    arrayLiteral(labels.map(label => label.position)),
    arrayLiteral(labels.map(label => label.job.workspace)),
    arrayLiteral(labels.map(label => label.key)),
    arrayLiteral(labels.map(label => label.value)),
    arrayLiteral(labels.map(label => label.job.id)),
  ]
}

/** Which positions of the statement are the answer to which idempotency key. */
const answerColumns = (calls: readonly Accepted[]): string[] => {
  const answers: (IdempotencyKey & { shape: string; first: number; last: number })[] = []
  let next = 1
  for (const { jobs, idempotency } of calls) {
    const last = next + jobs.length - 1
    if (idempotency) answers.push({ ...idempotency.key, shape: idempotency.shape, first: next, last })
    next = last + 1
  }
  const column = (value: (answer: (typeof answers)[number]) => string | number) => arrayLiteral(answers.map(value))
  return [
    column(answer => answer.workspace),
    column(answer => answer.method),
    column(answer => answer.path),
    column(answer => answer.key),
    column(answer => answer.shape),
    column(answer => answer.first),
    column(answer => answer.last),
  ]
}
