import type { NewJob } from '../../../model/job.ts'
import type { SkipReason, WorkflowState } from '../../../model/workflow.ts'
import type { FireResult, WorkflowFire } from '../../workflow-store.ts'
import type { Statement } from '../database.ts'
import { isRefusal } from '../fault.ts'
import { type Work, withLocks } from '../locks.ts'
import { settle } from '../runs/settle.ts'
import type { Session } from '../session.ts'
import { insertRuns, keysOf, type RunToInsert } from './insert-runs.ts'
import { recordFires } from './record-fires.ts'
import { replaceRuns } from './replace-runs.ts'

/**
 * Implements `fireWorkflows`. All fires of a call share one transaction; if the database refuses it, each is retried alone. A workflow that occurs twice fires
 * twice, the second time in a later transaction.
 */
export const fireWorkflows = async (
  session: Session,
  fires: readonly WorkflowFire[],
): Promise<readonly FireResult[]> => {
  const results = new Map<WorkflowFire, FireResult>()
  for (const round of inRounds(fires)) {
    const made = await fireRound(session, round)
    for (const [index, fire] of round.entries()) results.set(fire, made[index]!)
  }
  return fires.map(fire => results.get(fire)!)
}

const inRounds = (fires: readonly WorkflowFire[]): readonly (readonly WorkflowFire[])[] => {
  const rounds: WorkflowFire[][] = []
  const seen = new Map<string, number>()
  for (const fire of fires) {
    const round = seen.get(fire.workflowId) ?? 0
    seen.set(fire.workflowId, round + 1)
    const list = rounds[round] ?? []
    rounds[round] = list
    list.push(fire)
  }
  return rounds
}

const fireRound = async (session: Session, fires: readonly WorkflowFire[]): Promise<readonly FireResult[]> => {
  const reserved = await reserve(session, fires)
  let results: readonly FireResult[] | null = null
  try {
    results = await fireTogether(session, fires, reserved)
    return results
  } catch (error) {
    if (fires.length === 1 || !isRefusal(error)) throw error
  } finally {
    for (const [index, fire] of fires.entries()) {
      const type = results?.[index]?.type
      if (reserved.has(fire) && type !== 'fired' && type !== 'waiting')
        session.queueCounts.add(fire.workspace, -fire.run!.items.length)
    }
  }
  const alone: FireResult[] = []
  for (const fire of fires) alone.push(...(await fireRound(session, [fire])))
  return alone
}

/** The fires whose items fit the limit on waiting jobs. */
const reserve = async (session: Session, fires: readonly WorkflowFire[]): Promise<ReadonlySet<WorkflowFire>> => {
  const reserved = new Set<WorkflowFire>()
  for (const fire of fires) {
    if (!fire.run || fire.slot === null) continue
    const queued = await session.queueCounts.reserve(fire.workspace, fire.run.items.length, fire.maxQueued)
    if (queued === null) reserved.add(fire)
  }
  return reserved
}

/** The outcome of a fire. */
export type Decision =
  | { readonly type: 'lost' }
  | { readonly type: 'skipped'; readonly reason: SkipReason | null }
  | { readonly type: 'fired' }
  | { readonly type: 'waiting' }

export type Decided = { readonly fire: WorkflowFire; readonly decision: Decision; readonly workflow: Found | undefined }

/** `replaces`: first terminates the workflow's open runs, which decides whether the new run has to wait for one. */
export type Planned = Omit<Decided, 'decision'> & { readonly decision: Decision | { readonly type: 'replaces' } }

const fireTogether = async (
  session: Session,
  fires: readonly WorkflowFire[],
  reserved: ReadonlySet<WorkflowFire>,
): Promise<readonly FireResult[]> => {
  const items: readonly NewJob[] = fires.flatMap(fire => fire.run?.items ?? [])
  await session.scopeSets.keep(items)
  const keys = keysOf(fires.flatMap(fire => (fire.run ? [{ run: fire.run }] : [])))
  const workflows = fires.map(fire => fire.workflowId)
  const decided = await withLocks(session, { keys, workflows }, async work => {
    const found = await findWorkflows(work, fires)
    const planned = fires.map((fire): Planned => {
      const workflow = found.get(fire.workflowId)
      return { fire, workflow, decision: decide(fire, workflow, reserved.has(fire)) }
    })
    const { decided, sums } = await replaceRuns(work, planned)
    await insertRuns(session, work, decided.flatMap(toRun))
    await recordFires(work, decided, sums)
    await settle(work)
    return decided
  })
  return decided.map(toResult)
}

/** Requires the workflow locks. Open runs are those running or waiting for another run, not those scheduled for later. */
const FIND: Statement = {
  name: 'find_workflows_to_fire',
  text: `
    SELECT workflow.id, workflow.workspace, workflow.version, workflow.state, workflow.cursor, workflow.next_slot,
      workflow.fire_at, open.running, open.waiting, coalesce(
        (SELECT slot.last_slot FROM millrace.slot WHERE slot.workflow_id = i.id AND slot.slot <= i.slot
          ORDER BY slot.slot DESC LIMIT 1) >= i.slot, false) AS is_recorded
    FROM unnest($1::text[], $2::bigint[]) AS i (id, slot)
    JOIN millrace.workflow ON workflow.id = i.id
    CROSS JOIN LATERAL (
      SELECT count(*) FILTER (WHERE run.phase = 'running' OR run.status_reason = 'waiting_for_run') AS running,
        count(*) FILTER (WHERE run.phase = 'pending' AND run.status_reason = 'waiting_for_run') AS waiting
      FROM millrace.run
      WHERE run.workflow_id = workflow.id AND run.phase IN ('pending', 'running')
    ) AS open`,
}

type Found = {
  readonly id: string
  readonly workspace: string
  readonly version: number
  readonly state: WorkflowState
  readonly cursor: number
  readonly next_slot: number | null
  readonly fire_at: number | null
  readonly running: number
  readonly waiting: number
  /** The slot was already handled: the cursor was set back. */
  readonly is_recorded: boolean
}

const findWorkflows = async (
  { connection }: Work,
  fires: readonly WorkflowFire[],
): Promise<ReadonlyMap<string, Found>> => {
  const rows = await connection.query<Found>(FIND, [fires.map(fire => fire.workflowId), fires.map(fire => fire.slot)])
  return new Map(rows.map(row => [row.id, row]))
}

const decide = (fire: WorkflowFire, workflow: Found | undefined, hasRoom: boolean): Planned['decision'] => {
  if (!workflow || workflow.workspace !== fire.workspace || workflow.state === 'terminated') return { type: 'lost' }
  if (workflow.version !== fire.version || workflow.cursor !== fire.cursor) return { type: 'lost' }
  if (fire.slot === null) return { type: 'skipped', reason: null }
  if (workflow.state === 'paused') return { type: 'skipped', reason: 'paused' }
  if (workflow.is_recorded) return { type: 'skipped', reason: null }
  if (fire.run === null) return { type: 'skipped', reason: 'invalid' }
  if (workflow.running > 0 && fire.overlap === 'skip') return { type: 'skipped', reason: 'overlap' }
  if (workflow.waiting > 0 && fire.overlap === 'queue_one') return { type: 'skipped', reason: 'overlap' }
  if (!hasRoom) return { type: 'skipped', reason: 'too_many_queued' }
  if (workflow.running === 0 || fire.overlap === 'allow') return { type: 'fired' }
  return { type: fire.overlap === 'queue_one' ? 'waiting' : 'replaces' }
}

const toRun = ({ fire, decision }: Decided): readonly RunToInsert[] => {
  if (!fire.run || (decision.type !== 'fired' && decision.type !== 'waiting')) return []
  const { run, workspace, workflowId, slot } = fire
  const waits = decision.type === 'waiting' ? 'waiting_for_run' : null
  return [{ run, workspace, workflowId, trigger: 'automatic', scheduledAt: slot, waits, outcomeCounts: true }]
}

const toResult = ({ fire, decision }: Decided): FireResult => {
  if (decision.type === 'fired' || decision.type === 'waiting') return { type: decision.type, runId: fire.run!.id }
  return decision
}
