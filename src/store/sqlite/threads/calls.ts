import type { Notification, RunEvent } from '../../../model/workflow.ts'

/** Messages between the store and its threads: calls one way, replies the other. All values survive structured cloning. */
export type Call = readonly [id: number, operation: string, input: unknown, now: number]

export type Answer = readonly [id: number, output: unknown, fault: Fault | null]

/** The results of one commit, or of one round of reads. */
export type Reply = { readonly answers: readonly Answer[]; readonly effects: Effects | null }

/** Signals to emit after a commit. `events` is one text (`decodeEvents`): cloning objects would cost more than the writes. */
export type Effects = {
  readonly events: string
  readonly runEvents: readonly RunEvent[]
  readonly notifications: readonly Notification[]
  readonly hints: readonly Hint[]
}

/** Signals that only say that there may be something to do. */
export type Hint = 'queued' | 'pending' | 'cancel' | 'schedule' | 'delivery'

/** What the store sends: first `open`, answered under `OPEN_ID`; finally `close`. */
export type Message = readonly Call[] | 'open' | 'close'
export const OPEN_ID = 0

/** Estimates the work of a call: about the number of jobs it concerns. */
export const weightOf = (input: unknown): number => {
  if (Array.isArray(input)) return input.length
  const { jobs, limit } = (input ?? {}) as { jobs?: readonly unknown[]; limit?: number }
  return jobs?.length ?? limit ?? 1
}

/** An error in a form that can be sent between threads. */
export type Fault = { readonly message: string; readonly stack: string | undefined; readonly code: string | undefined }

const SQLITE_FULL = 13

export const toFault = (error: unknown): Fault => {
  const { message, stack, code, errcode } = error as Error & { code?: string; errcode?: number }
  // The error code by which all callers recognize a full disk.
  return { message, stack, code: errcode === SQLITE_FULL ? 'ENOSPC' : code }
}

export const fromFault = (fault: Fault): Error => {
  const error = new Error(fault.message)
  if (fault.stack) error.stack = fault.stack
  return fault.code === undefined ? error : Object.assign(error, { code: fault.code })
}
