import { MillraceError } from '../../kernel/errors.ts'

/** Data sources and pipes. Their ids, `t_` and a UUIDv7, sort by creation. */
type Made = { readonly id: string }

/** A page of a list that is in memory, newest first. Throws `invalid_cursor`. */
export const pageOf = <T extends Made>(
  all: readonly T[],
  { limit, cursor }: { readonly limit: number; readonly cursor: string | null },
): { readonly page: readonly T[]; readonly nextCursor: string | null } => {
  const before = cursor === null ? null : idOf(cursor)
  const rest = all
    .filter(({ id }) => before === null || id < before)
    .toSorted((one, other) => (one.id < other.id ? 1 : -1))
  const page = rest.slice(0, limit)
  return { page, nextCursor: rest.length > page.length ? cursorOf(page.at(-1)!.id) : null }
}

const cursorOf = (id: string): string => Buffer.from(id.slice(2), 'hex').toString('base64url')

const idOf = (cursor: string): string => {
  const bytes = Buffer.from(cursor, 'base64url')
  if (bytes.length !== 16 || bytes.toString('base64url') !== cursor) throw new MillraceError('invalid_cursor')
  return `t_${bytes.toString('hex')}`
}
