import type { Store } from '../../store.ts'
import type { RunChange } from '../../workflow-store.ts'
import { storable } from '../array-literal.ts'
import type { Statement } from '../database.ts'
import { type Work, withLocks } from '../locks.ts'
import type { Session } from '../session.ts'
import { pauseRuns, resumeRuns } from './pause-runs.ts'
import { getRun, type RunKey } from './read-runs.ts'
import { settle } from './settle.ts'
import { startRuns, startWaitingRuns } from './start-runs.ts'
import { beginTermination } from './terminate-runs.ts'

/** Implements `pauseRun`. */
export const pauseRun = (session: Session, key: RunKey): Promise<RunChange> =>
  change(session, key, async work => (await pauseRuns(work, [key.runId])).length > 0)

/** Implements `resumeRun`. A run that was waiting for others to finish may start now. */
export const resumeRun = (session: Session, key: RunKey): Promise<RunChange> =>
  change(session, key, async work => {
    const resumed = await resumeRuns(work, [key.runId])
    for (const { workflowId, isPending } of resumed) {
      if (!isPending) continue
      await work.locks.needWorkflows(work.connection, [workflowId])
      await startWaitingRuns(work, [workflowId])
    }
    return resumed.length > 0
  })

/** Implements `terminateRun`. */
export const terminateRun = (
  session: Session,
  { graceMs, ...key }: Parameters<Store['terminateRun']>[0],
): Promise<RunChange> =>
  change(session, key, async work => {
    const terminated = await beginTermination(work, [key.runId], { reason: 'terminated_by_user', graceMs })
    return terminated.length > 0
  })

const change = async (
  session: Session,
  { workspace, runId }: RunKey,
  move: (work: Work) => Promise<boolean>,
): Promise<RunChange> => {
  const key = { workspace, runId: storable(runId) }
  if (!(await getRun(session.database, key))) return 'not_found'
  return withLocks(session, { runs: [runId] }, async work => {
    const changed = await move(work)
    await settle(work)
    const run = await getRun(work.connection, key)
    return run ? { run, changed } : 'not_found'
  })
}

const DUE: Statement = {
  name: 'due_pending_runs',
  text: `
    SELECT id, workflow_id
    FROM millrace.run
    WHERE due_at IS NOT NULL AND NOT paused AND due_at <= (SELECT millrace.clock($1::bigint))
    ORDER BY due_at
    LIMIT $2`,
}

const NEXT_DUE: Statement = {
  name: 'next_due_run',
  text: 'SELECT min(due_at) AS next_due_at FROM millrace.run WHERE due_at IS NOT NULL AND NOT paused',
}

/** Implements `startDueRuns`. */
export const startDueRuns = async (
  session: Session,
  { limit }: { limit: number },
): ReturnType<Store['startDueRuns']> => {
  type Due = { id: string; workflow_id: string }
  const due = await session.database.query<Due>(DUE, [session.now(), limit])
  const runs = due.map(run => run.id)
  const wanted = { runs, workflows: due.map(run => run.workflow_id) }
  const started = runs.length === 0 ? 0 : await withLocks(session, wanted, work => start(work, runs))
  const [next] = await session.database.query<{ next_due_at: number | null }>(NEXT_DUE, [])
  return { started, nextDueAt: next!.next_due_at }
}

const start = async (work: Work, runs: readonly string[]): Promise<number> => {
  const started = await startRuns(work, runs)
  await settle(work)
  return started
}
