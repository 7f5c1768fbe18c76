import type { IncomingHttpHeaders } from 'node:http'
import { parseHttpDate } from './http-date.ts'

/** Identify a version of some content. */
export type Validators = {
  /** A strong entity tag, including its quotes. */
  readonly tag: string
  /** Epoch ms. */
  readonly modifiedAt: number
}

/** Evaluates the preconditions of a GET or HEAD, in the order of RFC 9110, 13.2.2. Ignores invalid dates, and headers that are overridden by a stronger one. */
export const evaluatePreconditions = (
  headers: IncomingHttpHeaders,
  content: Validators,
): 'proceed' | 'failed' | 'not_modified' => {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers
  const isRight =
    ifMatch === undefined
      ? isUnmodified(headers['if-unmodified-since'], content) !== false
      : namesTag(ifMatch, content.tag, 'strong')
  if (!isRight) return 'failed'
  const isKnown =
    ifNoneMatch === undefined
      ? isUnmodified(headers['if-modified-since'], content) === true
      : namesTag(ifNoneMatch, content.tag, 'weak')
  return isKnown ? 'not_modified' : 'proceed'
}

/** Whether a list of entity tags, or `*`, includes this one. In strong comparison, weak tags never match (RFC 9110, 8.8.3.2). */
const namesTag = (header: string, tag: string, comparison: 'strong' | 'weak'): boolean => {
  if (header.trim() === '*') return true
  const candidates = header.split(',').map(candidate => candidate.trim())
  return candidates.some(candidate => (comparison === 'weak' ? candidate.replace(/^W\//, '') : candidate) === tag)
}

/** Whether the content has not changed since then; null: no valid date. */
const isUnmodified = (header: string | undefined, { modifiedAt }: Validators): boolean | null => {
  const since = header === undefined ? null : parseHttpDate(header, Date.now())
  return since === null ? null : toSeconds(modifiedAt) <= toSeconds(since)
}

/**
 * Whether `If-Range` allows a range (RFC 9110, 13.1.5): it is absent, or equals the tag or date of the content. The date is as good as the tag, because the
 * content never changes.
 */
export const rangeAllowed = (header: unknown, { tag, modifiedAt }: Validators): boolean => {
  if (header === undefined || header === tag) return true
  const date = typeof header === 'string' ? parseHttpDate(header, Date.now()) : null
  return date !== null && toSeconds(date) === toSeconds(modifiedAt)
}

/** HTTP dates have no fractions of a second. */
const toSeconds = (time: number): number => Math.floor(time / 1000)
