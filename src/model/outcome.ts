import { ERRORS, type FailureClass, type FailureReason } from '../kernel/errors.ts'
import type { ResultFormat } from './job.ts'
import type { CancelReason } from './job-status.ts'

/** How a process exited, if there was one. */
export type Exit = { readonly exitCode: number | null; readonly signal: string | null }

/** A result as passed to the store. Small ones (`INLINE_RESULT_BYTES`) are stored in the database. */
export type NewResult = {
  readonly format: ResultFormat
  readonly bytes: number
  /** Hexadecimal. */
  readonly sha256: string
  /** How long it is kept after completion, in ms; null: as long as the job. */
  readonly keptMs: number | null
  readonly content: { readonly data: Uint8Array } | { readonly blobKey: string }
}
/** The most bytes of a result in the database. */
export const INLINE_RESULT_BYTES = 64 * 1024

/** Figures of an attempt, specific to its kind. An import of CSV adds how it was read (`delimiter`, `header`). */
export type Statistics = Readonly<Record<string, number | string | boolean>>

/** An executor's report on an attempt. */
export type Outcome =
  | {
      readonly type: 'completed'
      readonly exit?: Exit
      readonly statistics?: Statistics
      readonly result?: NewResult
      /** Rows were published: the attempt counts as completed even if it was told to stop. */
      readonly isPublished?: true
    }
  | {
      readonly type: 'failed'
      readonly failure: FailureClass
      readonly reason: FailureReason
      readonly message: string
      readonly exit?: Exit
      readonly statistics?: Statistics
    }
  /** The attempt stopped as requested. The cause is known to whoever requested it. */
  | { readonly type: 'stopped'; readonly exit?: Exit; readonly statistics?: Statistics }
  /** Nothing was done: another server must run the job. */
  | { readonly type: 'left'; readonly exit?: Exit; readonly statistics?: Statistics }

export type Failed = Extract<Outcome, { readonly type: 'failed' }>

/** A failed outcome. The table of errors says who is responsible. */
export const failed = (reason: FailureReason, message: string = ERRORS[reason].title): Failed => ({
  type: 'failed',
  failure: ERRORS[reason].failure,
  reason,
  message,
})

/** Why an attempt is stopped. The first cause wins. */
export type StopCause = CancelReason | 'timeout' | 'shutdown' | 'lease_lost'

/** How an attempt ends in the store: each is one named transition of `model/job-status.ts`. */
export type AttemptEnd =
  | {
      readonly type: 'complete'
      readonly exit: Exit
      readonly statistics: Statistics | null
      readonly result: NewResult | null
    }
  | {
      readonly type: 'fail'
      readonly reason: FailureReason
      readonly failure: FailureClass
      readonly message: string
      readonly exit: Exit
      readonly statistics?: Statistics | null
    }
  | {
      readonly type: 'retry'
      readonly reason: FailureReason
      readonly failure: FailureClass
      readonly message: string
      readonly exit: Exit
      readonly statistics?: Statistics | null
      readonly delayMs: number
    }
  | { readonly type: 'cancel'; readonly exit: Exit }
  /** Put back by a worker that is shutting down or must not run it; does not count as an attempt. */
  | { readonly type: 'release'; readonly exit: Exit }
