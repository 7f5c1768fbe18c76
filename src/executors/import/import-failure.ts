import type { FailureReason } from '../../kernel/errors.ts'

/** Why an import failed. Thrown in streams and statements; one place turns it into an outcome. */
export class ImportFailure extends Error {
  readonly reason: FailureReason

  constructor(reason: FailureReason, message: string) {
    super(message)
    this.name = 'ImportFailure'
    this.reason = reason
  }
}
