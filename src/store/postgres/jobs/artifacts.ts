import pg from 'pg'
import { isId } from '../../../kernel/ids.ts'
import type { Artifact } from '../../../model/job.ts'
import type { AddArtifact, AddArtifactOutcome } from '../../store.ts'
import { storable } from '../array-literal.ts'
import { lockBlobs, releaseBlobs } from '../blobs.ts'
import type { Queryable, Statement } from '../database.ts'
import type { Session } from '../session.ts'
import { jobExists } from './read-job.ts'

/** Locks the attempt, so that it cannot end before the artifact is stored. */
const HOLD_ATTEMPT: Statement = {
  name: 'hold_attempt',
  text: `
    SELECT FROM millrace.live
    WHERE id = $1 AND attempt = $2 AND status IN ('running', 'cancelling')
    FOR SHARE`,
}

const HOLD_JOB: Statement = {
  name: 'hold_job',
  text: 'SELECT FROM millrace.job WHERE id = $1 AND workspace = $2 FOR KEY SHARE',
}

const DELETE_EARLIER: Statement = {
  name: 'delete_earlier_artifact',
  text: 'DELETE FROM millrace.artifact WHERE job_id = $1 AND name = $2 AND attempt < $3 RETURNING sha256',
}

const REFER_TO_BLOB: Statement = {
  name: 'refer_to_blob',
  text: `
    INSERT INTO millrace.blob (sha256, key, size, reference_count)
    VALUES ($1, $2, $3, 1)
    ON CONFLICT (sha256) DO UPDATE SET reference_count = blob.reference_count + 1
    RETURNING key`,
}

const ADD_ARTIFACT: Statement = {
  name: 'add_artifact',
  text: `
    INSERT INTO millrace.artifact (id, job_id, name, sha256, size, content_type, created_at, attempt)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
}

/** Implements `addArtifact`. */
export const addArtifact = async (session: Session, input: AddArtifact): Promise<AddArtifactOutcome> => {
  if (!isId(input.artifact.jobId)) return { type: 'not_found' }
  try {
    return await session.database.transaction(connection => add(connection, input))
  } catch (error) {
    // The second of two concurrent calls fails here, and its reference to the blob is rolled back.
    if (error instanceof pg.DatabaseError && error.constraint === 'artifact_pkey') return { type: 'name_taken' }
    throw error
  }
}

const add = async (
  connection: Queryable,
  { workspace, artifact, blobKey }: AddArtifact,
): Promise<AddArtifactOutcome> => {
  const { id, jobId, attempt, sha256, size, createdAt } = artifact
  const [name, contentType] = [storable(artifact.name), storable(artifact.contentType)]
  const held = await connection.query(HOLD_JOB, [jobId, workspace])
  if (held.length === 0) return { type: 'not_found' }
  if (attempt !== null && (await connection.query(HOLD_ATTEMPT, [jobId, attempt])).length === 0)
    return { type: 'not_running' }
  const earlier = (await connection.query<{ sha256: string }>(DELETE_EARLIER, [jobId, name, attempt])).map(
    row => row.sha256,
  )
  if (earlier.length > 0) await lockBlobs(connection)
  const [blob] = await connection.query<{ key: string }>(REFER_TO_BLOB, [sha256, blobKey, size])
  await connection.query(ADD_ARTIFACT, [id, jobId, name, sha256, size, contentType, createdAt, attempt])
  await releaseBlobs(connection, earlier)
  return { type: 'added', blobKey: blob!.key }
}

type ArtifactRow = {
  readonly id: string
  readonly job_id: string
  readonly name: string
  readonly attempt: number | null
  readonly sha256: string
  readonly size: number
  readonly content_type: string
  readonly created_at: number
}

const toArtifact = (row: ArtifactRow): Artifact => ({
  id: row.id,
  jobId: row.job_id,
  name: row.name,
  attempt: row.attempt,
  sha256: row.sha256,
  size: row.size,
  contentType: row.content_type,
  createdAt: row.created_at,
})

const LIST_ARTIFACTS: Statement = {
  name: 'list_artifacts',
  text: `
    SELECT id, job_id, name, attempt, sha256, size, content_type, created_at
    FROM millrace.artifact
    WHERE job_id = $1
    ORDER BY position`,
}

/** Implements `listArtifacts`. */
export const listArtifacts = async (
  target: Queryable,
  key: { workspace: string; jobId: string },
): Promise<readonly Artifact[] | null> => {
  if (!(await jobExists(target, key))) return null
  return (await target.query<ArtifactRow>(LIST_ARTIFACTS, [key.jobId])).map(toArtifact)
}

const GET_ARTIFACT: Statement = {
  name: 'get_artifact',
  text: `
    SELECT a.id, a.job_id, a.name, a.attempt, a.sha256, a.size, a.content_type, a.created_at, b.key AS blob_key
    FROM millrace.artifact AS a
    JOIN millrace.job AS j ON j.id = a.job_id
    JOIN millrace.blob AS b ON b.sha256 = a.sha256
    WHERE a.id = $1 AND a.job_id = $2 AND j.workspace = $3`,
}

/** Implements `getArtifact`. */
export const getArtifact = async (
  target: Queryable,
  { workspace, jobId, artifactId }: { workspace: string; jobId: string; artifactId: string },
): Promise<{ artifact: Artifact; blobKey: string } | null> => {
  if (!isId(jobId)) return null
  const values = [storable(artifactId), jobId, workspace]
  const [row] = await target.query<ArtifactRow & { readonly blob_key: string }>(GET_ARTIFACT, values)
  return row ? { artifact: toArtifact(row), blobKey: row.blob_key } : null
}
