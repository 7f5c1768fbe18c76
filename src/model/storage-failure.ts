import { isDiskFull, MillraceError } from '../kernel/errors.ts'
import { type Failed, failed } from './outcome.ts'

/** The outcome of an attempt that failed for lack of storage: a full disk, or an unreachable blob store. null: another error. */
export const storageFailure = (error: unknown): Failed | null => {
  if (isDiskFull(error)) return failed('disk_full')
  if (!(error instanceof MillraceError) || error.code !== 'storage_unavailable') return null
  return failed('storage_unavailable', error.message)
}

/** Whether an error was caused neither by the job nor by the storage of content: the database is unreachable, too many files are open, … */
export const isOfSystem = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && OF_SYSTEM.has(error.code)

const OF_SYSTEM: ReadonlySet<unknown> = new Set(['unavailable', 'EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EIO'])
