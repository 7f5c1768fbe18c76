import type { FieldError } from '../kernel/errors.ts'

type Details = {
  readonly exitCode: number
  /** What the user can do about it. */
  readonly hint?: string | undefined
  /** The code of the API's refusal (`docs/errors.md`), or `no_server` or `no_answer`. */
  readonly code?: string | undefined
  /** HTTP status of the refusal. */
  readonly status?: number | undefined
  /** The wrong fields of the refusal, by dotted path. */
  readonly fields?: readonly FieldError[] | undefined
}

/** A failure that is reported to the user in words, with a hint, instead of a stack trace. */
export class CliFailure extends Error {
  readonly exitCode: number
  readonly hint: string | undefined
  readonly code: string | undefined
  readonly status: number | undefined
  readonly fields: readonly FieldError[]

  constructor(message: string, details: Details) {
    super(message)
    this.name = 'CliFailure'
    this.exitCode = details.exitCode
    this.hint = details.hint
    this.code = details.code
    this.status = details.status
    this.fields = details.fields ?? []
  }
}
