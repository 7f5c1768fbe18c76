import type { IncomingHttpHeaders } from 'node:http'
import { parseHttpDate } from './http-date.ts'

/** What tells one version of some content from another. */
export type Validators = {
  /** A strong entity tag, with its quotes. */
  readonly tag: string
  /** Epoch ms. */
  readonly modifiedAt: number
}

/**
 * What the preconditions of a GET or HEAD make of it, in the order of RFC 9110, 13.2.2. A date that is none is ignored, and so
 * is each header that a stronger one stands beside.
 */
export const judgePreconditions = (
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

/** Whether a list of entity tags, or `*`, names this one. Strong: a weak tag never does (RFC 9110, 8.8.3.2). */
const namesTag = (header: string, tag: string, comparison: 'strong' | 'weak'): boolean => {
  if (header.trim() === '*') return true
  const candidates = header.split(',').map(candidate => candidate.trim())
  return candidates.some(candidate => (comparison === 'weak' ? candidate.replace(/^W\//, '') : candidate) === tag)
}

/** Whether the content is what it was then; null: there is no such date. */
const isUnmodified = (header: string | undefined, { modifiedAt }: Validators): boolean | null => {
  const since = header === undefined ? null : parseHttpDate(header, Date.now())
  return since === null ? null : toSeconds(modifiedAt) <= toSeconds(since)
}

/**
 * Whether `If-Range` allows a range (RFC 9110, 13.1.5): it is not there, or is exactly the tag or date of the content. The date is as
 * good as the tag here: what it is of never changes.
 */
export const rangeAllowed = (header: unknown, { tag, modifiedAt }: Validators): boolean => {
  if (header === undefined || header === tag) return true
  const date = typeof header === 'string' ? parseHttpDate(header, Date.now()) : null
  return date !== null && toSeconds(date) === toSeconds(modifiedAt)
}

/** Dates of HTTP have no more. */
const toSeconds = (time: number): number => Math.floor(time / 1000)
