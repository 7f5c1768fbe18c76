import type { Statement } from '../database.ts'
import { queueNextOfKeys, type WaitingItem, type WorkspaceKey } from '../jobs/exclusive-keys.ts'
import type { EventRow } from '../jobs/job-rows.ts'
import type { Work } from '../locks.ts'

/** An item whose key is free takes a slot of its run, or waits for one. */
const TAKE_SLOT: Statement = {
  name: 'take_slot',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    room AS MATERIALIZED (
      SELECT run.paused, run.phase = 'running' AND NOT run.paused AND run.end_reason IS NULL
          AND run.max_concurrent > (
            SELECT count(*) FROM millrace.live
            WHERE live.item_of = run.id AND live.status IN ('queued', 'running', 'cancelling')
          ) AS is_free
      FROM millrace.run
      WHERE run.id = $3
    )
    UPDATE millrace.live
    SET status = CASE WHEN room.is_free THEN 'queued' ELSE 'pending' END,
      status_reason = CASE WHEN room.is_free THEN NULL WHEN room.paused THEN 'run_paused'
        ELSE 'run_concurrency' END,
      queued_at = CASE WHEN room.is_free THEN clock.now ELSE live.queued_at END,
      updated_at = CASE WHEN room.is_free THEN clock.now ELSE live.updated_at END
    FROM clock, room
    WHERE live.id = $2
    RETURNING live.id, live.workspace, live.kind, live.run_id, live.workflow_id, live.parent_job_id, live.status,
      live.status_reason, clock.now`,
}

/** Passes free keys to the next waiting job, until each key has a holder or no waiting job that can be queued. */
export const passKeys = async (work: Work, keys: readonly WorkspaceKey[]): Promise<void> => {
  if (keys.length === 0) return
  work.locks.need({ keys })
  for (;;) {
    const { queued, items } = await queueNextOfKeys(work.connection, keys, work.now)
    work.effects.jobs.push(...queued)
    if (items.length === 0) return
    work.locks.need({ runs: items.map(item => item.runId) })
    for (const item of items) await takeSlot(work, item)
  }
}

const takeSlot = async ({ connection, effects, now }: Work, { id, runId }: WaitingItem): Promise<void> => {
  const rows = await connection.query<EventRow>(TAKE_SLOT, [now, id, runId])
  effects.jobs.push(...rows.filter(row => row.status === 'queued'))
}
