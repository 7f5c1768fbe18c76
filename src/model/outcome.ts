import type { FailureClass, FailureReason } from '../kernel/errors.ts'
import type { ResultFormat } from './job.ts'
import type { CancelReason } from './job-status.ts'

/** What a process left behind, where there was one. */
export type Exit = { readonly exitCode: number | null; readonly signal: string | null }

/** A result as it is handed to the store. Small ones (`INLINE_RESULT_BYTES`) are kept in the database itself. */
export type NewResult = {
  readonly format: ResultFormat
  readonly bytes: number
  /** In hex. */
  readonly sha256: string
  /** How long it is kept from completion, ms; null: as long as the job. */
  readonly keptMs: number | null
  readonly content: { readonly data: Uint8Array } | { readonly blobKey: string }
}
/** The most bytes of a result in the database. */
export const INLINE_RESULT_BYTES = 64 * 1024

/** Figures of an attempt, each kind its own; of an import of CSV also how it was read (`delimiter`, `header`). */
export type Statistics = Readonly<Record<string, number | string | boolean>>

/** What an executor says of an attempt. */
export type Outcome =
  | {
      readonly type: 'completed'
      readonly exit?: Exit
      readonly statistics?: Statistics
      readonly result?: NewResult
      /** Rows were published: whatever it was told meanwhile, that is how it ended. */
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
  /** The attempt stopped because it was told to; the cause is known to the one who told it. */
  | { readonly type: 'stopped'; readonly exit?: Exit; readonly statistics?: Statistics }
  /** Nothing was done: another server carries it out. */
  | { readonly type: 'left'; readonly exit?: Exit; readonly statistics?: Statistics }

/** Why an attempt is told to stop. The first cause wins. */
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
  /** Put back by a worker that shuts down, or that is not the one for it; uses up no attempt. */
  | { readonly type: 'release'; readonly exit: Exit }
