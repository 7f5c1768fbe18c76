export type ByteRange = { readonly start: number; readonly end: number }

/**
 * Reads a `Range` header (RFC 9110, 14.2) for content of `size` bytes. `null`: send everything, for a header that is not
 * there, is not of bytes, is wrong, or asks for several ranges (which a server may ignore).
 */
export const parseRange = (header: string | undefined, size: number): ByteRange | 'unsatisfiable' | null => {
  const match = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header ?? '')
  if (!match) return null
  const [, first, last] = match as unknown as [string, string, string]
  if (first === '' && last === '') return null
  if (first === '') return suffix(Number(last), size)
  const start = Number(first)
  if (last !== '' && Number(last) < start) return null
  if (start >= size) return 'unsatisfiable'
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) }
}

const suffix = (length: number, size: number): ByteRange | 'unsatisfiable' =>
  length === 0 || size === 0 ? 'unsatisfiable' : { start: Math.max(0, size - length), end: size - 1 }

/** True when an `If-None-Match` header names this (strong) entity tag, compared weakly (RFC 9110, 13.1.2). */
export const matchesTag = (header: string | undefined, tag: string): boolean => {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  return header.split(',').some(candidate => candidate.trim().replace(/^W\//, '') === tag)
}

/** Whether `If-Range` allows a range: it is not there, or it is exactly this entity tag. A date never is. */
export const rangeAllowed = (header: unknown, tag: string): boolean => header === undefined || header === tag
