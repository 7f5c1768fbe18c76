import { createHash } from 'node:crypto'
import type { NewJob } from '../../../model/job.ts'
import type { Trigger } from '../../../model/trigger.ts'
import type { RunReason } from '../../../model/workflow.ts'
import type { NewRun } from '../../workflow-store.ts'
import { takenKeys, type WorkspaceKey } from '../jobs/exclusive-keys.ts'
import { insertJobs, type Start } from '../jobs/insert-jobs.ts'
import type { EventRow } from '../jobs/job-rows.ts'
import { scopeSetOf } from '../jobs/submit.ts'
import type { Work } from '../locks.ts'
import type { Session } from '../session.ts'

/** A run to create. `waits`: why it is pending; null: it starts at once. */
export type RunToInsert = {
  readonly run: NewRun
  readonly workspace: string
  readonly workflowId: string
  readonly trigger: Trigger
  readonly scheduledAt: number | null
  readonly waits: Extract<RunReason, 'scheduled' | 'waiting_for_run'> | null
  /** Whether its outcome changes the workflow's failure counter: not if it is created while the workflow is terminated. */
  readonly outcomeCounts: boolean
}

/** Runs of one workflow version share a snapshot, which is stored once. */
const INSERT_RUNS = {
  name: 'insert_runs',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    input AS MATERIALIZED (
      SELECT * FROM unnest($2::text[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::bigint[], $8::text[],
        $9::integer[], $10::integer[], $11::text[], $12::text[], $13::text[], $14::boolean[]) WITH ORDINALITY
        AS i (id, workspace, workflow_id, version, trigger, scheduled_at, waits, max_concurrent, items, retry_of, hash,
          snapshot, outcome_counts, place)
    ),
    snapshot AS (
      INSERT INTO millrace.snapshot (workflow_id, hash, definition)
      SELECT DISTINCT ON (workflow_id, hash) workflow_id, decode(hash, 'hex'), snapshot FROM input
      ORDER BY workflow_id, hash
      ON CONFLICT DO NOTHING
    ),
    run AS (
      INSERT INTO millrace.run (
        id, workspace, workflow_id, workflow_version, trigger, phase, status_reason, scheduled_at, due_at, created_at,
        started_at, max_concurrent, items, retry_of, snapshot_hash, outcome_counts
      )
      SELECT id, workspace, workflow_id, version, trigger, CASE WHEN waits IS NULL THEN 'running' ELSE 'pending' END,
        waits, scheduled_at, CASE WHEN waits = 'scheduled' THEN scheduled_at END, clock.now,
        CASE WHEN waits IS NULL THEN clock.now END, max_concurrent, items, retry_of, decode(hash, 'hex'),
        outcome_counts
      FROM input, clock
      ORDER BY place
    )
    SELECT now FROM clock`,
}

/** Maximum number of jobs per statement. */
const MOST_JOBS = 10_000

/** Requires the locks of the workflows and of all the items' exclusive keys. Creates runs with their items. The caller settles. */
export const insertRuns = async (session: Session, work: Work, runs: readonly RunToInsert[]): Promise<void> => {
  if (runs.length === 0) return
  const [row] = await work.connection.query<{ now: number }>(INSERT_RUNS, [work.now, ...runColumns(runs)])
  const { now } = row!
  const starts = await planStarts(work, runs)
  const jobs = runs.flatMap(({ run }) => run.items)
  for (let from = 0; from < jobs.length; from += MOST_JOBS) {
    const some = jobs.slice(from, from + MOST_JOBS)
    const startOf = (job: NewJob) => starts.get(job)!
    await insertJobs(work.connection, { now, jobs: some, startOf, areItems: true, scopeSetOf: scopeSetOf(session) })
  }
  work.effects.made.push({ jobs, at: now })
  note(work, { runs, starts, now })
  for (const { run } of runs) if (run.items.length === 0) work.touched.runs.note(run.id)
}

const runColumns = (runs: readonly RunToInsert[]): unknown[][] => [
  runs.map(({ run }) => run.id),
  runs.map(({ workspace }) => workspace),
  runs.map(({ workflowId }) => workflowId),
  runs.map(({ run }) => run.workflowVersion),
  runs.map(({ trigger }) => trigger),
  runs.map(({ scheduledAt }) => scheduledAt),
  runs.map(({ waits }) => waits),
  runs.map(({ run }) => run.maxConcurrent),
  runs.map(({ run }) => run.items.length),
  runs.map(({ run }) => run.retryOf),
  runs.map(({ run }) => createHash('sha256').update(run.snapshot).digest('hex')),
  runs.map(({ run }) => run.snapshot),
  runs.map(({ outcomeCounts }) => outcomeCounts),
]

/** All slots of a starting run are free: its first items are inserted as queued. */
const planStarts = async (work: Work, runs: readonly RunToInsert[]): Promise<ReadonlyMap<NewJob, Start>> => {
  const taken = await takenBefore(work, keysOf(runs))
  const starts = new Map<NewJob, Start>()
  for (const { run, waits } of runs) {
    let free = waits === null ? run.maxConcurrent : 0
    for (const item of inOrderOfUrgency(run.items)) {
      const key = item.exclusiveKey === null ? null : JSON.stringify([item.workspace, item.exclusiveKey])
      const isHeld = free > 0 && key !== null && taken.has(key)
      starts.set(
        item,
        waits !== null ? 'run_pending' : free === 0 ? 'run_concurrency' : isHeld ? 'exclusive_key' : 'queued',
      )
      if (free === 0 || isHeld) continue
      if (key !== null) taken.add(key)
      free--
    }
  }
  return starts
}

/** Usually all have the same priority, and the order stays as it is. */
const inOrderOfUrgency = (items: readonly NewJob[]): readonly NewJob[] =>
  items.every(item => item.priority === items[0]!.priority) ? items : items.toSorted((a, b) => b.priority - a.priority)

export const keysOf = (runs: readonly Pick<RunToInsert, 'run'>[]): readonly WorkspaceKey[] =>
  runs.flatMap(({ run }) =>
    run.items.flatMap(({ workspace, exclusiveKey }) => (exclusiveKey === null ? [] : [{ workspace, exclusiveKey }])),
  )

const takenBefore = async ({ connection, locks, now }: Work, keys: readonly WorkspaceKey[]): Promise<Set<string>> => {
  if (keys.length === 0) return new Set()
  locks.need({ keys })
  return (await takenKeys(connection, keys, now)).taken
}

const note = (
  { effects }: Work,
  { runs, starts, now }: { runs: readonly RunToInsert[]; starts: ReadonlyMap<NewJob, Start>; now: number },
): void => {
  for (const { run, workspace, workflowId, waits } of runs) {
    const status = waits === null ? 'running' : 'pending'
    effects.runs.push({ runId: run.id, workflowId, workspace, status, statusReason: waits, timestamp: now })
    if (waits === 'scheduled') effects.schedule = true
    for (const item of run.items) effects.jobs.push(toRow(item, starts.get(item)!, now))
  }
}

const toRow = (job: NewJob, start: Start, now: number): EventRow => ({
  id: job.id,
  workspace: job.workspace,
  kind: job.kind,
  run_id: job.runId,
  workflow_id: job.workflowId,
  parent_job_id: job.parentJobId,
  status: start === 'queued' ? 'queued' : 'pending',
  status_reason: start === 'queued' ? null : start,
  now,
})
