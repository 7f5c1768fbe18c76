import type { FailureReason } from '../../kernel/errors.ts'

/** Why an import cannot be: thrown from within streams and statements, made an outcome at one place. */
export class ImportFailure extends Error {
  readonly reason: FailureReason

  constructor(reason: FailureReason, message: string) {
    super(message)
    this.name = 'ImportFailure'
    this.reason = reason
  }
}
