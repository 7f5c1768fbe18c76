import { detailOf, type FieldError, MillraceError, MOST_ERRORS } from '../kernel/errors.ts'

/** Checking stops beyond this many faults, because nobody reads more. Ten thousand wrong bodies are not all checked. */
export const ENOUGH_ERRORS = 200

/** A fault of a body. */
export type BodyFault = FieldError & {
  /** The body may be valid, but this installation has no executor for its kind. */
  readonly unavailable?: true
}

/** The error for a body with these faults (at least one): `executor_unavailable` if nothing else is wrong, otherwise `invalid`. */
export const invalidFields = (faults: readonly BodyFault[]): MillraceError => {
  const code = faults.every(({ unavailable }) => unavailable) ? 'executor_unavailable' : 'invalid'
  const errors = faults.slice(0, MOST_ERRORS).map(({ path, message }) => ({ path, message }))
  return new MillraceError(code, detailOf(errors), { errors })
}
