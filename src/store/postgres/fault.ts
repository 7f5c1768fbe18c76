import pg from 'pg'
import { MillraceError } from '../../kernel/errors.ts'

/** SQLSTATEs (PostgreSQL documentation, appendix A) and system errors that mean the database is unavailable. */
const UNREACHABLE = new Set([
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '53300', // too_many_connections
  '25006', // read_only_sql_transaction: a standby, during a failover
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
])
const DISK_FULL = '53100'

/** What a caller of the store sees of a failure: `unavailable` while the database is down, otherwise the failure itself. */
export const toFault = (error: unknown): unknown => {
  if (!(error instanceof Error) || error instanceof MillraceError) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (code === DISK_FULL) return new MillraceError('insufficient_storage', 'The disk of the database is full.')
  return isUnreachable(error, code)
    ? Object.assign(
        new MillraceError('unavailable', `The database cannot be reached: ${error.message}`, { retryAfter: 1 }),
        { cause: error },
      )
    : error
}

const isUnreachable = (error: Error, code: string): boolean =>
  UNREACHABLE.has(code) ||
  code.startsWith('08') ||
  // Errors that `pg` itself throws when a connection ends or cannot be opened carry no code.
  (!(error instanceof pg.DatabaseError) &&
    code === '' &&
    /connect|terminated|not queryable|timeout/i.test(error.message))

/** The database is up and refused the statement, so it had no effect. After a broken connection that is unknown. */
export const isRefusal = (error: unknown): boolean => error instanceof pg.DatabaseError
