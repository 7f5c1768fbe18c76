import { isId } from '../../../kernel/ids.ts'
import type { DataStore, Publication } from '../../data-store.ts'
import { storable } from '../array-literal.ts'
import type { Queryable, Statement } from '../database.ts'
import { toClaimToken } from '../jobs/lease-token.ts'
import type { Session } from '../session.ts'

/** Updates the job's row and locks the setting, so that a concurrent read or change of either is ordered before or after this. */
const COMMIT: Statement = {
  name: 'commit_publication',
  text: `
    WITH expected AS MATERIALIZED (
      SELECT FROM millrace.setting WHERE name = $9 AND value = $10 FOR SHARE
    ),
    published AS (
      UPDATE millrace.live
      SET published = true
      WHERE id = $2 AND workspace = $3 AND attempt = $4 AND claim_token = $5::uuid AND status = 'running' AND NOT published
        AND ($9::text IS NULL OR EXISTS (SELECT FROM expected))
      RETURNING id
    )
    INSERT INTO millrace.publication (job_id, workspace, staging_database, tables, outcome, created_at)
    SELECT id, $3, $6, $7, $8, millrace.clock($1::bigint) FROM published
    RETURNING 1`,
}

const FIND_HELD: Statement = {
  name: 'find_held_to_publish',
  text: `
    SELECT published, status FROM millrace.live WHERE id = $1 AND workspace = $2 AND attempt = $3 AND claim_token = $4::uuid`,
}

/** Implements `commitPublication`. */
export const commitPublication = async (
  session: Session,
  { workspace, lease, publication, ifSetting }: Parameters<DataStore['commitPublication']>[0],
): ReturnType<DataStore['commitPublication']> => {
  if (!isId(lease.jobId)) return 'lost'
  const held = [lease.jobId, workspace, lease.attempt, toClaimToken(lease)]
  const { stagingDatabase, tables, outcome } = publication
  const texts = [storable(stagingDatabase), JSON.stringify(tables), storable(outcome)]
  const expected = [ifSetting?.name ?? null, ifSetting?.value ?? null]
  const committed = await session.database.query(COMMIT, [session.now(), ...held, ...texts, ...expected])
  if (committed.length > 0) return 'committed'
  const [row] = await session.database.query<{ published: boolean; status: string }>(FIND_HELD, held)
  if (row?.published) return 'committed'
  return row?.status === 'cancelling' ? 'cancelling' : 'lost'
}

const REVOKE: Statement = {
  name: 'revoke_publication',
  text: `
    WITH held AS (
      UPDATE millrace.live SET published = false
      WHERE id = $1 AND workspace = $2 AND attempt = $3 AND claim_token = $4::uuid
      RETURNING id
    ),
    revoked AS (DELETE FROM millrace.publication USING held WHERE job_id = held.id)
    SELECT 1 FROM held`,
}

/** Implements `revokePublication`. */
export const revokePublication = async (
  session: Session,
  { workspace, lease }: Parameters<DataStore['revokePublication']>[0],
): ReturnType<DataStore['revokePublication']> => {
  if (!isId(lease.jobId)) return 'lost'
  const held = [lease.jobId, workspace, lease.attempt, toClaimToken(lease)]
  const revoked = await session.database.query(REVOKE, held)
  return revoked.length > 0 ? 'revoked' : 'lost'
}

const COLUMNS = `p.job_id, p.workspace, p.staging_database, p.tables, p.outcome, p.created_at,
      NOT EXISTS (SELECT FROM millrace.live WHERE live.id = p.job_id) AS job_ended`

type PublicationRow = {
  readonly job_id: string
  readonly workspace: string
  readonly staging_database: string
  readonly tables: string
  readonly outcome: string
  readonly created_at: number
  readonly job_ended: boolean
}

const toPublication = (row: PublicationRow): Publication => ({
  jobId: row.job_id,
  workspace: row.workspace,
  stagingDatabase: row.staging_database,
  tables: JSON.parse(row.tables),
  outcome: row.outcome,
  createdAt: row.created_at,
  jobEnded: row.job_ended,
})

const GET: Statement = {
  name: 'get_publication',
  text: `SELECT ${COLUMNS} FROM millrace.publication AS p WHERE p.job_id = $1 AND p.workspace = $2`,
}

/** Implements `getPublication`. */
export const getPublication = async (
  target: Queryable,
  { workspace, jobId }: { workspace: string; jobId: string },
): Promise<Publication | null> => {
  if (!isId(jobId)) return null
  const [row] = await target.query<PublicationRow>(GET, [jobId, workspace])
  return row ? toPublication(row) : null
}

const LIST: Statement = {
  name: 'list_publications',
  text: `SELECT ${COLUMNS} FROM millrace.publication AS p WHERE p.workspace = $1 ORDER BY p.position`,
}

/** Implements `listPublications`. */
export const listPublications = async (
  target: Queryable,
  { workspace }: { workspace: string },
): Promise<readonly Publication[]> => (await target.query<PublicationRow>(LIST, [workspace])).map(toPublication)

const PURGE: Statement = {
  name: 'purge_publications',
  text: `
    DELETE FROM millrace.publication
    WHERE position = ANY (ARRAY(
      SELECT p.position
      FROM millrace.publication AS p
      WHERE NOT EXISTS (SELECT FROM millrace.live WHERE live.id = p.job_id)
      ORDER BY p.position
      LIMIT $1
      FOR UPDATE SKIP LOCKED
    ))
    RETURNING 1`,
}

/** Implements `purgePublications`. */
export const purgePublications = async (session: Session, { limit }: { limit: number }): Promise<number> =>
  (await session.database.query(PURGE, [limit])).length
