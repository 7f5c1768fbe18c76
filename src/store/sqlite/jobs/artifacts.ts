import type { Artifact } from '../../../model/job.ts'
import type { AddArtifact, AddArtifactOutcome } from '../../store.ts'
import { dropReference } from '../blobs.ts'
import type { Database } from '../database.ts'
import type { Reader } from '../reader.ts'
import type { Writer } from '../writer.ts'
import { findSeq } from './live-job.ts'

export const addArtifact = ({ db }: Writer, { workspace, artifact, blobKey }: AddArtifact): AddArtifactOutcome => {
  const seq = findSeq(db, workspace, artifact.jobId)
  if (seq === undefined) return { type: 'not_found' }
  const { id, name, attempt, sha256, size, contentType, createdAt } = artifact
  if (attempt !== null && !isRunning(db, seq, attempt)) return { type: 'not_running' }
  const earlier = db.get<[string]>(DELETE_EARLIER_SQL, seq, name, attempt)
  if (db.get('SELECT 1 FROM artifact WHERE seq = ? AND name = ?', seq, name)) return { type: 'name_taken' }
  db.run(ADD_SQL, seq, name, id, sha256, size, contentType, createdAt, attempt)
  const [key] = db.get<[string]>(REFER_SQL, sha256, blobKey, size)!
  if (earlier) dropReference(db, earlier[0])
  return { type: 'added', blobKey: key }
}

const DELETE_EARLIER_SQL = 'DELETE FROM artifact WHERE seq = ? AND name = ? AND attempt < ? RETURNING sha256'

const ADD_SQL = `INSERT INTO artifact (seq, name, id, sha256, size, content_type, created_at, attempt)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

/** The first upload of a content determines its blob key. */
const REFER_SQL = `INSERT INTO blob (sha256, key, size, reference_count) VALUES (?, ?, ?, 1)
  ON CONFLICT (sha256) DO UPDATE SET reference_count = reference_count + 1 RETURNING key`

const isRunning = (db: Database, seq: number, attempt: number): boolean =>
  db.get("SELECT 1 FROM live WHERE seq = ? AND attempt = ? AND status IN ('running', 'cancelling')", seq, attempt) !==
  undefined

type Which = { readonly workspace: string; readonly jobId: string }
type Row = readonly unknown[]

const ARTIFACT_SQL = 'SELECT id, name, attempt, sha256, size, content_type, created_at FROM artifact'

const decode = (jobId: string, [id, name, attempt, sha256, size, contentType, createdAt]: Row): Artifact =>
  ({ id, jobId, name, attempt, sha256, size, contentType, createdAt }) as Artifact

export const listArtifacts = ({ db }: Reader, { workspace, jobId }: Which): Artifact[] | null => {
  const seq = findSeq(db, workspace, jobId)
  if (seq === undefined) return null
  return db.all<Row>(`${ARTIFACT_SQL} WHERE seq = ? ORDER BY rowid`, seq).map(row => decode(jobId, row))
}

type GetArtifact = Which & { readonly artifactId: string }

export const getArtifact = ({ db }: Reader, { workspace, jobId, artifactId }: GetArtifact) => {
  const seq = findSeq(db, workspace, jobId)
  const row = seq === undefined ? undefined : db.get<Row>(`${ARTIFACT_SQL} WHERE id = ? AND seq = ?`, artifactId, seq)
  if (!row) return null
  const artifact = decode(jobId, row)
  const [blobKey] = db.get<[string]>('SELECT key FROM blob WHERE sha256 = ?', artifact.sha256)!
  return { artifact, blobKey }
}
