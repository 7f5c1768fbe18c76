import { createHash } from 'node:crypto'
import { MillraceError } from '../../kernel/errors.ts'
/** What a cursor belongs to: it is refused with other filters or for another workspace. */
export type ListScope = { readonly workspace: string; readonly filters: object }

const TAG_BYTES = 8

/** Opaque text for "older than this position". */
export const encodeCursor = (scope: ListScope, seq: number): string => {
  const position = Buffer.alloc(8)
  position.writeBigUInt64BE(BigInt(seq))
  return Buffer.concat([position, tagOf(scope, position)]).toString('base64url')
}

/** Throws `invalid_cursor` for anything `encodeCursor` did not create for this scope. */
export const decodeCursor = (scope: ListScope, cursor: string): number => {
  const bytes = Buffer.from(cursor.slice(0, 64), 'base64url')
  const position = bytes.subarray(0, 8)
  const intact =
    bytes.length === 8 + TAG_BYTES &&
    bytes.toString('base64url') === cursor &&
    bytes.subarray(8).equals(tagOf(scope, position))
  if (!intact) throw new MillraceError('invalid_cursor')
  return Number(position.readBigUInt64BE())
}

/** Guards against mistakes, not forgery: a position grants no access to anything. */
const tagOf = ({ workspace, filters }: ListScope, position: Uint8Array): Buffer => {
  const sorted = Object.entries(filters).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([workspace, sorted]))
    .update(position)
    .digest()
    .subarray(0, TAG_BYTES)
}
