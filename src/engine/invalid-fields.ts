import { type FieldError, MillraceError } from '../kernel/errors.ts'

/** At most this many wrong fields are told at once. */
const MOST_ERRORS = 100

/** The refusal of a body with these faults; there is at least one. */
export const invalidFields = (errors: readonly FieldError[]): MillraceError => {
  const first = errors[0]!
  const detail = first.path ? `${first.path}: ${first.message}` : `The body ${first.message}`
  return new MillraceError('invalid', detail, { errors: errors.slice(0, MOST_ERRORS) })
}
