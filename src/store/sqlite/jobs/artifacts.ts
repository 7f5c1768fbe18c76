import type { Artifact } from '../../../model/job.ts'
import type { AddArtifact, AddArtifactOutcome } from '../../store.ts'
import type { Database } from '../database.ts'
import type { Reader } from '../reader.ts'
import type { Writer } from '../writer.ts'
import { findSeq } from './live-job.ts'

export const addArtifact = (
  { db }: Writer,
  { workspace, artifact, blobKey, attempt }: AddArtifact,
): AddArtifactOutcome => {
  const seq = findSeq(db, workspace, artifact.jobId)
  if (seq === undefined) return { type: 'not_found' }
  if (attempt !== undefined && !isRunning(db, seq, attempt)) return { type: 'not_running' }
  const { id, name, sha256, size, contentType, createdAt } = artifact
  if (db.get('SELECT 1 FROM artifact WHERE seq = ? AND name = ?', seq, name)) return { type: 'name_taken' }
  db.run('INSERT INTO artifact VALUES (?, ?, ?, ?, ?, ?, ?)', seq, name, id, sha256, size, contentType, createdAt)
  const [key] = db.get<[string]>(REFER_SQL, sha256, blobKey, size)!
  return { type: 'added', blobKey: key }
}

/** The first upload of a content determines its blob key. */
const REFER_SQL = `INSERT INTO blob (sha256, key, size, reference_count) VALUES (?, ?, ?, 1)
  ON CONFLICT (sha256) DO UPDATE SET reference_count = reference_count + 1 RETURNING key`

const isRunning = (db: Database, seq: number, attempt: number): boolean =>
  db.get("SELECT 1 FROM live WHERE seq = ? AND attempt = ? AND status IN ('running', 'cancelling')", seq, attempt) !==
  undefined

type Which = { readonly workspace: string; readonly jobId: string }
type Row = readonly unknown[]

const ARTIFACT_SQL = 'SELECT id, name, sha256, size, content_type, created_at FROM artifact'

const decode = (jobId: string, [id, name, sha256, size, contentType, createdAt]: Row): Artifact =>
  ({ id, jobId, name, sha256, size, contentType, createdAt }) as Artifact

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
