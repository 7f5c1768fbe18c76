import { isId } from '../../../kernel/ids.ts'
import type { Job } from '../../../model/job.ts'
import type { DataStore } from '../../data-store.ts'
import { MOST_LISTED_BYTES } from '../../listed-bytes.ts'
import type { Queryable, Statement } from '../database.ts'
import { JOB_COLUMNS, JOB_TABLES, type JobRow, toJob } from '../jobs/job-rows.ts'

const changed = (table: string, at: string): string => `
        SELECT id, ${at} AS changed_at
        FROM millrace.${table}
        WHERE workspace = $1 AND ${at} >= $2 AND (${at} > $2 OR id > $3::uuid)
        ORDER BY ${at}, id
        LIMIT $4`

/**
 * One statement, so one snapshot: a job is in exactly one of the two tables. It scans all live jobs, because an index on a column that changes with
 * every step of a job would cost every step more. `through`: total bytes of the specs up to and including this one.
 */
const LIST_CHANGED: Statement = {
  name: 'list_changed_jobs',
  text: `
    WITH changed AS MATERIALIZED (
      SELECT *
      FROM (
        (${changed('ended', 'finished_at')})
        UNION ALL
        (${changed('live', 'updated_at')})
      ) AS both_tables
      ORDER BY changed_at, id
      LIMIT $4
    ),
    found AS (
      SELECT ${JOB_COLUMNS}, c.changed_at,
        sum(octet_length(j.spec)) OVER (ORDER BY c.changed_at, c.id)::bigint AS through
      FROM changed AS c
      JOIN millrace.job AS j ON j.id = c.id ${JOB_TABLES}
    )
    SELECT * FROM found WHERE through <= $5::bigint OR through = octet_length(spec) ORDER BY changed_at, id`,
}

const FIRST_ID = '00000000-0000-0000-0000-000000000000'

/** Implements `listChangedJobs`. */
export const listChangedJobs = async (
  target: Queryable,
  { workspace, after, limit }: Parameters<DataStore['listChangedJobs']>[0],
): Promise<readonly Job[]> => {
  const id = after && isId(after.id) ? after.id : FIRST_ID
  const values = [workspace, after?.updatedAt ?? 0, id, limit, MOST_LISTED_BYTES]
  return (await target.query<JobRow>(LIST_CHANGED, values)).map(toJob)
}
