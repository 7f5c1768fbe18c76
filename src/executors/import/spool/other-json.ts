import { isJson } from '../../../kernel/is-json.ts'
import { withoutComma } from '../ndjson/judge-line.ts'

/** What is wrong with JSON content if its objects have several lines, as a message; null: they do not. */
export const otherJson = (bytes: Buffer): string | null =>
  firstLine(bytes).trimEnd() === '{'
    ? "The content has objects of several lines: NDJSON has one object per line (convert it with jq -c ., or jq -c '.data[]' if the rows are a list in data)."
    : null

/** Content that is not declared to be CSV and is a JSON array, or whose first line is a JSON object. */
export const hasJsonRows = (bytes: Buffer): boolean => {
  const first = firstLine(bytes)
  return /^\[\s*(\{|$)/.test(first) || (first.startsWith('{') && isJson(withoutComma(first.trimEnd())))
}

const firstLine = (bytes: Buffer): string => bytes.toString('utf8').trimStart().split('\n', 1)[0]!
