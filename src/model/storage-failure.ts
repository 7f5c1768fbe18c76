import { ERRORS, isDiskFull, MillraceError } from '../kernel/errors.ts'
import type { Outcome } from './outcome.ts'

type Failed = Extract<Outcome, { readonly type: 'failed' }>

/** How an attempt ends for which the disk of the server had no room. */
const DISK_FULL: Failed = Object.freeze({
  type: 'failed',
  failure: ERRORS.disk_full.failure,
  reason: 'disk_full',
  message: ERRORS.disk_full.title,
})

/** How an attempt ends by what it met where content is kept: a full disk, a blob store that is away. null: it met something else. */
export const storageFailure = (error: unknown): Failed | null => {
  if (isDiskFull(error)) return DISK_FULL
  if (!(error instanceof MillraceError) || error.code !== 'storage_unavailable') return null
  const { failure } = ERRORS.storage_unavailable
  return { type: 'failed', failure, reason: 'storage_unavailable', message: error.message }
}
