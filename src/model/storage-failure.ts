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

/** Whether what kept something was none of the job's doing, nor of where content is kept: the database is away, too many files are open, … */
export const isOfSystem = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && OF_SYSTEM.has(error.code)

const OF_SYSTEM: ReadonlySet<unknown> = new Set(['unavailable', 'EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EIO'])
