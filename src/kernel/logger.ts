import { type Logger, pino } from 'pino'
import { type ErrorCode, MillraceError } from './errors.ts'

export type { Logger }

/** The server's own log, JSON lines on standard error. Never holds tokens, secrets or query strings. */
export const createLogger = (level: string): Logger => {
  const standardError = pino.destination(2)
  // It may be a file on a disk that is full. Without a listener the error would end the program, and whoever flushes would try again for ever.
  standardError.on('error', () => Object.assign(standardError, { flush: nothing, flushSync: nothing, end: nothing }))
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: loggedError } },
    standardError,
  )
}

const nothing = (): void => {}

/** What the server needs is away or full: every part of it says so for as long as that lasts, and where in the program it was noticed helps nobody. */
const NO_FAULT_OF_THE_PROGRAM: ReadonlySet<ErrorCode> = new Set([
  'unavailable',
  'storage_unavailable',
  'insufficient_storage',
  'engine_unavailable',
])

/** An error as the log has it: with its stack and causes where these tell anything. */
export const loggedError = (error: Error): object =>
  error instanceof MillraceError && NO_FAULT_OF_THE_PROGRAM.has(error.code)
    ? { type: error.name, code: error.code, message: error.message }
    : pino.stdSerializers.err(error)

/** A logger that says nothing, for tests and short-lived tools. */
export const silentLogger: Logger = pino({ level: 'silent' })
