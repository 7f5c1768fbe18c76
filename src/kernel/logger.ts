import { type Logger, pino } from 'pino'
import { type ErrorCode, MillraceError } from './errors.ts'

export type { Logger }

/** The server's own log: JSON lines on standard error. Never contains tokens, secrets or query strings. */
export const createLogger = (level: string): Logger => {
  // Lines that cannot be written are kept up to this size, then dropped.
  const standardError = pino.destination({ dest: 2, maxLength: 1024 * 1024 })
  // Standard error may be a file on a full disk. Without a listener the error would end the process, and any flush would retry forever.
  standardError.on('error', () => Object.assign(standardError, { flush: nothing, flushSync: nothing, end: nothing }))
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: loggedError } },
    standardError,
  )
}

const nothing = (): void => {}

/** A dependency is down or full. Every component logs this for as long as it lasts, and the stack trace helps nobody. */
const NO_FAULT_OF_THE_PROGRAM: ReadonlySet<ErrorCode> = new Set([
  'unavailable',
  'storage_unavailable',
  'insufficient_storage',
  'engine_unavailable',
])

/** An error for the log: with stack and causes where these are useful. */
export const loggedError = (error: Error): object =>
  error instanceof MillraceError && NO_FAULT_OF_THE_PROGRAM.has(error.code)
    ? { type: error.name, code: error.code, message: error.message }
    : pino.stdSerializers.err(error)

/** A logger that writes nothing, for tests and short-lived tools. */
export const silentLogger: Logger = pino({ level: 'silent' })
