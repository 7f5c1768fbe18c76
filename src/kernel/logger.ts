import { type Logger, pino } from 'pino'

export type { Logger }

/** The server's own log, JSON lines on standard error. Never holds tokens, secrets or query strings. */
export const createLogger = (level: string): Logger =>
  pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2))

/** A logger that says nothing, for tests and short-lived tools. */
export const silentLogger: Logger = pino({ level: 'silent' })
