import type { IdempotencyKey, IdempotencyOutcome, KeptAnswer } from '../store.ts'
import type { Writer } from './writer.ts'

/** How long an answer is kept. */
const ANSWER_MS = 24 * 3600 * 1000
/** A first call neither answered nor renewed for this long was interrupted. */
const FIRST_CALL_MS = 60_000

type Begin = { readonly key: IdempotencyKey; readonly bodyHash: string }
type KeptRow = [bodyHash: string, expiresAt: number, status: number | null, body: string | null]

const WHERE_KEY = 'WHERE workspace = ? AND method = ? AND path = ? AND key = ?'

const valuesOf = ({ workspace, method, path, key }: IdempotencyKey) => [workspace, method, path, key] as const

export const beginIdempotent = ({ db, now }: Writer, { key, bodyHash }: Begin): IdempotencyOutcome => {
  const kept = db.get<KeptRow>(
    `SELECT body_hash, expires_at, status, body FROM idempotency ${WHERE_KEY}`,
    ...valuesOf(key),
  )
  if (kept && isAlive(kept, now)) return outcomeOf(kept, bodyHash)
  db.run(
    `INSERT INTO idempotency (workspace, method, path, key, body_hash, expires_at) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET body_hash = excluded.body_hash, expires_at = excluded.expires_at, status = NULL, body = NULL`,
    ...valuesOf(key),
    bodyHash,
    now + FIRST_CALL_MS,
  )
  return { type: 'new' }
}

/** A call that has been answered keeps its expiry. */
export const renewIdempotent = ({ db, now }: Writer, { key }: { key: IdempotencyKey }): void => {
  db.run(`UPDATE idempotency SET expires_at = ? ${WHERE_KEY} AND status IS NULL`, now + FIRST_CALL_MS, ...valuesOf(key))
}

/** An expiry further away than any we set means that the clock was set back. */
const isAlive = ([, expiresAt, status]: KeptRow, now: number): boolean =>
  expiresAt > now && expiresAt <= now + (status === null ? FIRST_CALL_MS : 2 * ANSWER_MS)

const outcomeOf = ([keptHash, , status, body]: KeptRow, bodyHash: string): IdempotencyOutcome => {
  if (keptHash !== bodyHash) return { type: 'mismatch' }
  return status === null ? { type: 'in_progress' } : { type: 'answered', answer: { status, body: body! } }
}

export const keepAnswer = ({ db, now }: Writer, key: IdempotencyKey, answer: KeptAnswer): void => {
  db.run(
    `UPDATE idempotency SET status = ?, body = ?, expires_at = ? ${WHERE_KEY}`,
    answer.status,
    answer.body,
    now + ANSWER_MS,
    ...valuesOf(key),
  )
}

type Finish = { readonly key: IdempotencyKey; readonly answer: KeptAnswer | null }

export const finishIdempotent = (writer: Writer, { key, answer }: Finish): void => {
  if (answer) keepAnswer(writer, key, answer)
  else writer.db.run(`DELETE FROM idempotency ${WHERE_KEY}`, ...valuesOf(key))
}

/** Keeps calls without an answer: one may be a long upload, whose answer needs the row. */
export const purgeIdempotency = ({ db, now }: Writer, { limit }: { limit: number }): number =>
  db.run(
    `DELETE FROM idempotency WHERE (workspace, method, path, key) IN
       (SELECT workspace, method, path, key FROM idempotency
        WHERE expires_at <= ?1 AND (status IS NOT NULL OR expires_at <= ?1 - ${ANSWER_MS}) ORDER BY expires_at LIMIT ?2)`,
    now,
    limit,
  )
