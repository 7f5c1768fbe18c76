import { readTimestamp } from '../../kernel/read-timestamp.ts'
import type { Report } from './fault.ts'

/** Parses an RFC 3339 time to epoch milliseconds. If it is invalid, reports that and returns NaN. */
export const readTime = (text: string, path: string, report: Report): number => {
  const read = readTimestamp(text)
  if (read.type === 'time') return read.epochMs
  report(path, read.message)
  return Number.NaN
}
