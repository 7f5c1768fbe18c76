import { ERRORS, isDiskFull, MillraceError } from '../kernel/errors.ts'
import type { Outcome } from './outcome.ts'

type Failed = Extract<Outcome, { readonly type: 'failed' }>

/** The outcome of an attempt for which the server's disk was full. */
const DISK_FULL: Failed = Object.freeze({
  type: 'failed',
  failure: ERRORS.disk_full.failure,
  reason: 'disk_full',
  message: ERRORS.disk_full.title,
})

/** The outcome of an attempt that failed for lack of storage: a full disk, or an unreachable blob store. null: another error. */
export const storageFailure = (error: unknown): Failed | null => {
  if (isDiskFull(error)) return DISK_FULL
  if (!(error instanceof MillraceError) || error.code !== 'storage_unavailable') return null
  const { failure } = ERRORS.storage_unavailable
  return { type: 'failed', failure, reason: 'storage_unavailable', message: error.message }
}

/** Whether an error was caused neither by the job nor by the storage of content: the database is unreachable, too many files are open, … */
export const isOfSystem = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && OF_SYSTEM.has(error.code)

const OF_SYSTEM: ReadonlySet<unknown> = new Set(['unavailable', 'EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EIO'])
