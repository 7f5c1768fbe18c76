import { detailOf, type FieldError, MillraceError } from '../kernel/errors.ts'

/** At most this many wrong fields are told at once. */
export const MOST_ERRORS = 100
/** More faults than anyone reads: of ten thousand wrong bodies those behind need not be judged. */
export const ENOUGH_ERRORS = 200

/** What is wrong with a body. */
export type BodyFault = FieldError & {
  /** It may be right, but is of a kind that this installation has no executor for. */
  readonly unavailable?: true
}

/** The refusal of a body with these faults, of which there is at least one: `executor_unavailable` when nothing else is wrong. */
export const invalidFields = (faults: readonly BodyFault[]): MillraceError => {
  const code = faults.every(({ unavailable }) => unavailable) ? 'executor_unavailable' : 'invalid'
  const errors = faults.slice(0, MOST_ERRORS).map(({ path, message }) => ({ path, message }))
  return new MillraceError(code, detailOf(errors), { errors })
}
