import { arrayLiteral } from '../array-literal.ts'
import type { Queryable, Statement } from '../database.ts'
import type { Session } from '../session.ts'
import { addFacts } from './facts.ts'

const LOCK: Statement = { name: 'lock_summed', text: 'SELECT FROM millrace.summed FOR UPDATE' }
const HOLD: Statement = { name: 'hold_summed', text: 'SELECT FROM millrace.summed FOR SHARE' }

/**
 * Below this time nothing can be committed any more. A job's end takes its time from the clock inside its transaction, so
 * it is not before the start of that: what is still to come from transactions that run now lies at the start of the
 * oldest or above, and what begins later lies above this transaction's own start. It is read by a statement before the
 * one that sums, whose snapshot then has all that was committed when this one looked: in one statement, a transaction that
 * commits between the snapshot and the look would be missed by both. Autovacuum and the like end no jobs, nor do clients
 * of other databases. Where a test sets the clock, transactions do not tell the time, and it runs none beside this.
 */
const WATERMARK: Statement = {
  name: 'summing_watermark',
  text: `
    SELECT coalesce($1::bigint, (
      SELECT floor(extract(epoch FROM least(now(), min(a.xact_start))) * 1000)::bigint
      FROM pg_stat_activity AS a
      WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
    )) AS watermark`,
}

/** The next ended jobs after the mark, in the order of their ends, those of one instant by id. */
const SUMMARIZE: Statement = {
  name: 'summarize',
  text: `
    WITH next AS MATERIALIZED (
      SELECT e.*
      FROM millrace.summed
      CROSS JOIN LATERAL (
        SELECT * FROM millrace.ended
        WHERE ended.finished_at >= summed.finished_at AND ended.finished_at < $1
          AND (ended.finished_at > summed.finished_at OR ended.id > summed.id)
        ORDER BY ended.finished_at, ended.id
        LIMIT $2
      ) AS e
    ),
    added AS (${addFacts('SELECT * FROM next')}),
    moved AS (
      UPDATE millrace.summed
      SET finished_at = last.finished_at, id = last.id
      FROM (SELECT finished_at, id FROM next ORDER BY finished_at DESC, id DESC LIMIT 1) AS last
    )
    SELECT count(*) AS count FROM next`,
}

/** `summarize`. */
export const summarize = (session: Session, { limit }: { limit: number }): Promise<number> =>
  session.database.transaction(async connection => {
    await connection.query(LOCK, [])
    const [read] = await connection.query<{ watermark: number }>(WATERMARK, [session.now()])
    const [row] = await connection.query<{ count: number }>(SUMMARIZE, [read!.watermark, limit])
    return row!.count
  })

const SUM_ALONE: Statement = {
  name: 'sum_ended_jobs',
  text: `
    WITH added AS (${addFacts(`
      SELECT ended.* FROM millrace.summed, millrace.ended
      WHERE ended.id = ANY ($1::uuid[]) AND (ended.finished_at, ended.id) > (summed.finished_at, summed.id)`)})
    SELECT 1`,
}

/** Jobs that are about to be purged: those that the mark has not reached are summed now. The mark stands still meanwhile. */
export const sumBeforePurge = async (connection: Queryable, jobIds: readonly string[]): Promise<void> => {
  await connection.query(HOLD, [])
  await connection.query(SUM_ALONE, [arrayLiteral(jobIds, id => id)])
}
