import type { Report } from './fault.ts'

const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/

/** Epoch milliseconds of an RFC 3339 time; NaN, and a report, when it is none. */
export const readTime = (text: string, path: string, report: Report): number => {
  const time = RFC_3339.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time)) report(path, 'must be an RFC 3339 time such as 2026-11-21T09:00:00Z')
  return time
}
