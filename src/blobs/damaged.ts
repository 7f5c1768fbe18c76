import { MillraceError } from '../kernel/errors.ts'

/** The error `content_damaged`, for a blob whose size has changed. `found` is null if only that is known. */
export const damaged = (blob: { key: string; size: number; found: number | null }): MillraceError =>
  new MillraceError(
    'content_damaged',
    `The blob ${blob.key} has ${blob.found ?? 'fewer'} bytes, and had ${blob.size} when it was stored.`,
  )
