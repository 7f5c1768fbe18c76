import type { Progress } from '../../model/job.ts'
import type { Call, HostFailure } from './host-protocol.ts'

/**
 * Parses a host's reports as untrusted input: functions run in it and can impersonate it. Each function throws if a report is malformed. Text shown to
 * others is truncated.
 */

const LONGEST_MESSAGE = 4000
const LONGEST_PROGRESS_MESSAGE = 1000

export const readProgress = (payload: Buffer): Progress => {
  const { percentage, message } = readObject(payload)
  return {
    percentage: typeof percentage === 'number' ? Math.min(100, Math.max(0, percentage)) : null,
    message: typeof message === 'string' ? message.slice(0, LONGEST_PROGRESS_MESSAGE).toWellFormed() : null,
  }
}

/** The number of a call becomes part of a path, so it is checked. */
export const readCall = (payload: Buffer): Call => {
  const { call, do: wanted, items, name } = readObject(payload)
  if (!Number.isSafeInteger(call) || (call as number) < 1) throw new Error('a call has no number')
  const number = call as number
  if (wanted === 'extend_timeout') return { call: number, do: wanted }
  if (wanted === 'extend_payload' && Array.isArray(items)) return { call: number, do: wanted, items }
  if (wanted === 'artifact') return { call: number, do: wanted, name }
  throw new Error('a call is none')
}

/** A host may only report reasons that a function can cause. */
const REASONS: ReadonlySet<unknown> = new Set<HostFailure['reason']>([
  'function_threw',
  'function_unreadable',
  'result_unreadable',
  'result_too_large',
])

export const readFailure = (payload: Buffer): HostFailure => {
  const { reason, message } = readObject(payload)
  if (!REASONS.has(reason)) throw new Error('a failure has no reason')
  return { reason: reason as HostFailure['reason'], message: String(message).slice(0, LONGEST_MESSAGE).toWellFormed() }
}

const readObject = (payload: Buffer): Readonly<Record<string, unknown>> => {
  const value: unknown = JSON.parse(payload.toString())
  if (typeof value !== 'object' || value === null) throw new Error('a report is no object')
  return value as Readonly<Record<string, unknown>>
}
