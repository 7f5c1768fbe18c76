import { MillraceError } from '../kernel/errors.ts'

/** `content_damaged`: a blob that is not as long as it was. `found` is null where only that is known. */
export const damaged = (blob: { key: string; size: number; found: number | null }): MillraceError =>
  new MillraceError(
    'content_damaged',
    `The blob ${blob.key} has ${blob.found ?? 'fewer'} bytes, and had ${blob.size} when it was stored.`,
  )
