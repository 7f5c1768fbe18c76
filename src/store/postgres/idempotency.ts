import { type AnswerShape, keptSubmitAnswer } from '../../model/submit-answer.ts'
import type { IdempotencyKey, IdempotencyOutcome, KeptAnswer } from '../store.ts'
import { storable } from './array-literal.ts'
import type { Statement } from './database.ts'
import type { Session } from './session.ts'

/** How long an answer is kept. */
export const KEEP_MS = 24 * 3600 * 1000
/** A first call neither finished nor renewed for this long was interrupted by a crash. */
const CUT_OFF_MS = 60_000
/** A renewal may read the clock after, and write before, another call that tries to take the key. */
const RACE_MS = 1000

/** Takes the key if it is free, expired or abandoned; returns its previous state. */
const BEGIN: Statement = {
  name: 'begin_idempotent',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now)
    INSERT INTO millrace.idempotency AS kept (workspace, method, path, key, body_hash, started_at, expires_at)
    SELECT $2, $3, $4, $5, $6, clock.now, clock.now + ${KEEP_MS} FROM clock
    ON CONFLICT (workspace, method, path, key) DO UPDATE
    SET body_hash = excluded.body_hash, started_at = excluded.started_at, expires_at = excluded.expires_at,
      status = NULL, body = NULL, submitted = NULL
    WHERE kept.expires_at <= excluded.started_at
      OR kept.status IS NULL AND excluded.started_at NOT BETWEEN kept.started_at - ${RACE_MS} AND kept.started_at + ${CUT_OFF_MS - 1}
    RETURNING 1`,
}

const FIND: Statement = {
  name: 'find_idempotent',
  text: `
    SELECT body_hash, status, body, submitted
    FROM millrace.idempotency
    WHERE workspace = $1 AND method = $2 AND path = $3 AND key = $4`,
}

type KeptRow = {
  readonly body_hash: string
  readonly status: number | null
  readonly body: string | null
  readonly submitted: string | null
}

/** Implements `beginIdempotent`. */
export const beginIdempotent = async (
  session: Session,
  { key, bodyHash }: { key: IdempotencyKey; bodyHash: string },
): Promise<IdempotencyOutcome> => {
  const taken = await session.database.query(BEGIN, [session.now(), ...keyColumns(key), bodyHash])
  if (taken.length > 0) return { type: 'new' }
  const [row] = await session.database.query<KeptRow>(FIND, keyColumns(key))
  // Purged between the two statements: the caller may retry at once.
  if (!row) return { type: 'in_progress' }
  if (row.body_hash !== bodyHash) return { type: 'mismatch' }
  return row.status === null ? { type: 'in_progress' } : { type: 'answered', answer: toAnswer(row, row.status) }
}

const RENEW: Statement = {
  name: 'renew_idempotent',
  text: `
    UPDATE millrace.idempotency
    SET started_at = millrace.clock($1::bigint), expires_at = millrace.clock($1::bigint) + ${KEEP_MS}
    WHERE workspace = $2 AND method = $3 AND path = $4 AND key = $5 AND status IS NULL`,
}

/** Implements `renewIdempotent`. */
export const renewIdempotent = async (session: Session, { key }: { key: IdempotencyKey }): Promise<void> => {
  await session.database.query(RENEW, [session.now(), ...keyColumns(key)])
}

type Submitted = {
  readonly shape: AnswerShape['shape']
  /** Absent from answers stored before this field existed. */
  readonly more?: AnswerShape['more'] | null
  readonly createdAt: number
  readonly jobs: readonly (readonly [id: string, status: string])[]
}

const toAnswer = (row: KeptRow, status: number): KeptAnswer => {
  if (row.submitted === null) return { status, body: row.body ?? '' }
  const { shape, more, createdAt, jobs } = JSON.parse(row.submitted) as Submitted
  return keptSubmitAnswer(
    { shape, ...(more && { more }) },
    jobs.map(([id, status]) => ({ id, status, createdAt })),
  )
}

const KEEP: Statement = {
  name: 'keep_answer',
  text: `
    UPDATE millrace.idempotency
    SET status = $5, body = $6, submitted = NULL
    WHERE workspace = $1 AND method = $2 AND path = $3 AND key = $4`,
}

const FORGET: Statement = {
  name: 'forget_idempotent',
  text: 'DELETE FROM millrace.idempotency WHERE workspace = $1 AND method = $2 AND path = $3 AND key = $4',
}

/** Implements `finishIdempotent`. */
export const finishIdempotent = async (
  session: Session,
  { key, answer }: { key: IdempotencyKey; answer: KeptAnswer | null },
): Promise<void> => {
  if (answer === null) await session.database.query(FORGET, keyColumns(key))
  else await session.database.query(KEEP, [...keyColumns(key), answer.status, answer.body])
}

export const keyColumns = ({ workspace, method, path, key }: IdempotencyKey): string[] =>
  [workspace, method, path, key].map(storable)

const PURGE: Statement = {
  name: 'purge_idempotency',
  text: `
    WITH old AS (
      SELECT workspace, method, path, key
      FROM millrace.idempotency
      WHERE expires_at <= millrace.clock($1::bigint)
      ORDER BY expires_at
      LIMIT $2
      FOR UPDATE SKIP LOCKED
    )
    DELETE FROM millrace.idempotency AS i
    USING old
    WHERE i.workspace = old.workspace AND i.method = old.method AND i.path = old.path AND i.key = old.key
    RETURNING 1`,
}

/** Implements `purgeIdempotency`. */
export const purgeIdempotency = async (session: Session, { limit }: { limit: number }): Promise<number> =>
  (await session.database.query(PURGE, [session.now(), limit])).length
