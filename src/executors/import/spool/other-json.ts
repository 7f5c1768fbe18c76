import { isJson } from '../../../kernel/is-json.ts'
import { withoutComma } from '../ndjson/judge-line.ts'

/** Content that is not declared to be CSV and is a JSON array or an object of several lines, or whose first line is a JSON object. */
export const hasJsonRows = (bytes: Buffer): boolean => {
  const first = firstLine(bytes)
  return /^(?:\[\s*(?:\{|$)|\{\s*$)/.test(first) || (first.startsWith('{') && isJson(withoutComma(first.trimEnd())))
}

const firstLine = (bytes: Buffer): string => bytes.toString('utf8').trimStart().split('\n', 1)[0]!
