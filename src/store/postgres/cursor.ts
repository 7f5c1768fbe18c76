import { createHash } from 'node:crypto'
import { MillraceError } from '../../kernel/errors.ts'

/** What a list covers: a cursor is valid only for the same workspace and filters. */
type Subject = { readonly workspace: string; readonly filters: object }

/** The position after which the next page begins. */
export const toCursor = (sequence: number, subject: Subject): string =>
  Buffer.from(`${sequence}.${fingerprint(subject)}`).toString('base64url')

/** Throws `invalid_cursor` for anything that `toCursor` has not created for the same subject. */
export const fromCursor = (cursor: string, subject: Subject): number => {
  const sequence = Number.parseInt(Buffer.from(cursor.slice(0, 100), 'base64url').toString(), 10)
  if (!Number.isSafeInteger(sequence) || toCursor(sequence, subject) !== cursor)
    throw new MillraceError('invalid_cursor')
  return sequence
}

const fingerprint = ({ workspace, filters }: Subject): string =>
  createHash('sha256')
    .update(JSON.stringify([workspace, Object.entries(filters).sort(([a], [b]) => (a < b ? -1 : 1))]))
    .digest('base64url')
    .slice(0, 12)
