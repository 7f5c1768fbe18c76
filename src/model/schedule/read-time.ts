import { readTimestamp } from '../../kernel/read-timestamp.ts'
import type { Report } from './fault.ts'

/** Epoch milliseconds of an RFC 3339 time; NaN, and a report, when it is none. */
export const readTime = (text: string, path: string, report: Report): number => {
  const read = readTimestamp(text)
  if (read.type === 'time') return read.epochMs
  report(path, read.message)
  return Number.NaN
}
