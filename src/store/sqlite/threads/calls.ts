import type { Notification, RunEvent } from '../../../model/workflow.ts'

/** What goes between the store and its threads: calls one way, replies the other. Values survive structured cloning. */
export type Call = readonly [id: number, operation: string, input: unknown, now: number]

export type Answer = readonly [id: number, output: unknown, fault: Fault | null]

/** All that one commit, or one round of reads, has to say. */
export type Reply = { readonly answers: readonly Answer[]; readonly effects: Effects | null }

/** What is told to listeners after a commit. `events` is one text (`decodeEvents`): cloning objects would cost more than the writes. */
export type Effects = {
  readonly events: string
  readonly runEvents: readonly RunEvent[]
  readonly notifications: readonly Notification[]
  readonly hints: readonly Hint[]
}

/** The signals that say nothing but that there may be something to do. */
export type Hint = 'queued' | 'pending' | 'cancel' | 'schedule' | 'delivery'

/** What the store sends: first `open`, which is answered under `OPEN_ID`, in the end `close`. */
export type Message = readonly Call[] | 'open' | 'close'
export const OPEN_ID = 0

/** How much work a call is: about how many jobs it is about. */
export const weightOf = (input: unknown): number => {
  if (Array.isArray(input)) return input.length
  const { jobs, limit } = (input ?? {}) as { jobs?: readonly unknown[]; limit?: number }
  return jobs?.length ?? limit ?? 1
}

/** An error as it crosses to the other thread. */
export type Fault = { readonly message: string; readonly stack: string | undefined; readonly code: string | undefined }

const SQLITE_FULL = 13

export const toFault = (error: unknown): Fault => {
  const { message, stack, code, errcode } = error as Error & { code?: string; errcode?: number }
  // The code by which everything above knows a full disk.
  return { message, stack, code: errcode === SQLITE_FULL ? 'ENOSPC' : code }
}

export const fromFault = (fault: Fault): Error => {
  const error = new Error(fault.message)
  if (fault.stack) error.stack = fault.stack
  return fault.code === undefined ? error : Object.assign(error, { code: fault.code })
}
