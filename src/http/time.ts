import type { FieldError } from '../kernel/errors.ts'
import { readTimestamp } from '../kernel/read-timestamp.ts'

/** Parses an RFC 3339 text to epoch milliseconds; null if absent, or if invalid, which is added to `errors`. */
export const readTime = (input: {
  path: string
  text: string | null | undefined
  errors: FieldError[]
}): number | null => {
  const { path, text, errors } = input
  if (text === undefined || text === null) return null
  const read = readTimestamp(text)
  if (read.type === 'time') return read.epochMs
  errors.push({ path, message: read.message })
  return null
}

/** Parses the filters `created_after` and `created_before` of a list. Faults are added to `errors`. */
export const readCreated = (
  fields: { readonly created_after?: string; readonly created_before?: string },
  errors: FieldError[],
) => {
  const createdAfter = readTime({ path: 'created_after', text: fields.created_after, errors })
  const createdBefore = readTime({ path: 'created_before', text: fields.created_before, errors })
  return { ...(createdAfter !== null && { createdAfter }), ...(createdBefore !== null && { createdBefore }) }
}

/** The grace period in a body, in milliseconds; null: each job's own. */
export const graceOf = ({ timeout_seconds }: { timeout_seconds?: number }): number | null =>
  timeout_seconds === undefined ? null : Math.round(timeout_seconds * 1000)
