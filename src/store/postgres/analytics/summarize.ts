import { arrayLiteral } from '../array-literal.ts'
import type { Queryable, Statement } from '../database.ts'
import type { Session } from '../session.ts'
import { addFacts } from './facts.ts'

const LOCK: Statement = { name: 'lock_summed', text: 'SELECT FROM millrace.summed FOR UPDATE' }
const HOLD: Statement = { name: 'hold_summed', text: 'SELECT FROM millrace.summed FOR SHARE' }

/**
 * Nothing can be committed below this time any more. A job's end takes its time from the clock inside its transaction, so never before the
 * transaction began. Ends still to come from running transactions are therefore at or after the oldest start, and those of later transactions after
 * this one's own start.
 * It is read in a separate statement before the one that sums, whose snapshot then includes everything committed by the time of the read. In a single
 * statement, a transaction that commits between the snapshot and the read would be missed by both.
 * Autovacuum and the like end no jobs, nor do clients of other databases. Where a test sets the clock, transaction starts do not tell the time, but
 * the test runs no concurrent transactions.
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

/** The next ended jobs after the mark, by end time, then by id. */
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

/** Implements `summarize`. */
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

/** Sums jobs that are about to be purged if the mark has not reached them. The mark cannot move meanwhile. */
export const sumBeforePurge = async (connection: Queryable, jobIds: readonly string[]): Promise<void> => {
  await connection.query(HOLD, [])
  await connection.query(SUM_ALONE, [arrayLiteral(jobIds, id => id)])
}
