import type { Lease } from '../../../model/job.ts'
import type { NewPublication, Publication } from '../../data-store.ts'
import type { Database } from '../database.ts'
import { findHeld } from '../jobs/live-job.ts'
import type { Reader } from '../reader.ts'
import { readSetting } from '../settings.ts'
import type { Writer } from '../writer.ts'

type Commit = {
  readonly workspace: string
  readonly lease: Lease
  readonly publication: NewPublication
  readonly ifSetting?: { readonly name: string; readonly value: string }
}

export const commitPublication = (
  { db, now }: Writer,
  { workspace, lease, publication, ifSetting }: Commit,
): 'committed' | 'lost' | 'cancelling' => {
  const job = findHeld(db, lease)
  if (job?.workspace !== workspace) return 'lost'
  if (job.published) return 'committed'
  if (job.status === 'cancelling') return 'cancelling'
  if (ifSetting !== undefined && readSetting(db, ifSetting.name) !== ifSetting.value) return 'lost'
  const { stagingDatabase, tables, outcome } = publication
  db.run('UPDATE live SET published = 1 WHERE seq = ?', job.seq)
  db.run(
    'INSERT INTO publication (seq, workspace, staging_database, tables, outcome, created_at) VALUES (?, ?, ?, ?, ?, ?)',
    job.seq,
    workspace,
    stagingDatabase,
    JSON.stringify(tables),
    outcome,
    now,
  )
  return 'committed'
}

export const revokePublication = (
  { db }: Writer,
  { workspace, lease }: Pick<Commit, 'workspace' | 'lease'>,
): 'revoked' | 'lost' => {
  const job = findHeld(db, lease)
  if (job?.workspace !== workspace) return 'lost'
  db.run('UPDATE live SET published = 0 WHERE seq = ?', job.seq)
  deletePublication(db, job.seq)
  return 'revoked'
}

const PUBLICATION_SQL = `SELECT job.id, publication.workspace, staging_database, tables, outcome, publication.created_at,
    live.seq IS NULL
  FROM publication CROSS JOIN job ON job.seq = publication.seq LEFT JOIN live ON live.seq = publication.seq`

const decode = ([jobId, workspace, stagingDatabase, tables, outcome, createdAt, jobEnded]: readonly unknown[]) =>
  ({
    jobId,
    workspace,
    stagingDatabase,
    tables: JSON.parse(tables as string),
    outcome,
    createdAt,
    jobEnded: jobEnded === 1,
  }) as Publication

export const getPublication = (
  { db }: Reader,
  { workspace, jobId }: { workspace: string; jobId: string },
): Publication | null => {
  const row = db.get(
    `${PUBLICATION_SQL} WHERE publication.seq = (SELECT seq FROM job WHERE id = ?) AND publication.workspace = ?`,
    jobId,
    workspace,
  )
  return row ? decode(row) : null
}

export const listPublications = ({ db }: Reader, { workspace }: { workspace: string }): Publication[] =>
  db
    .all(`${PUBLICATION_SQL} WHERE publication.workspace = ? ORDER BY publication.position`, workspace)
    .map(row => decode(row))

export const purgePublications = ({ db }: Writer, { limit }: { limit: number }): number =>
  db.run(
    `DELETE FROM publication WHERE position IN (SELECT position FROM publication
       WHERE NOT EXISTS (SELECT 1 FROM live WHERE live.seq = publication.seq) ORDER BY position LIMIT ?)`,
    limit,
  )

export const deletePublication = (db: Database, seq: number): void => {
  db.run('DELETE FROM publication WHERE seq = ?', seq)
}
