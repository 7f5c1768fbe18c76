import { isJson } from '../../../kernel/is-json.ts'
import { withoutComma } from '../ndjson/judge-line.ts'

/** What JSON content is if it does not have one object per line, as a message; null: it may have. A single bad line is no reason. */
export const otherJson = (bytes: Buffer): string | null => {
  const [first = '', ...others] = bytes.toString('utf8').trim().split('\n', MOST_LINES)
  const line = withoutComma(first)
  if (line === '{')
    return "The content has objects of several lines: NDJSON has one object per line (convert it with jq -c ., or jq -c '.data[]' if the rows are a list in data)."
  if (!line.startsWith('[') || (others.length > 0 && isJson(line))) return null
  return "The content is a JSON array: NDJSON has one object per line (convert it with jq -c '.[]')."
}

/** Content that is not declared to be CSV and whose first line is a JSON object. */
export const hasJsonLines = (bytes: Buffer): boolean => {
  const [first = ''] = bytes.toString('utf8').trimStart().split('\n', 1)
  return first.startsWith('{') && isJson(withoutComma(first.trimEnd()))
}

/** Enough to see whether there is more than one. */
const MOST_LINES = 2
