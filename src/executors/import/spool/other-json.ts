import { isJson } from '../../../kernel/is-json.ts'
import { withoutComma } from '../ndjson/judge-line.ts'

/** What content of JSON is that has not an object a line, in words; null: it may have. A line that is wrong by itself is no reason. */
export const otherJson = (bytes: Buffer): string | null => {
  const [first = '', ...others] = bytes.toString('utf8').trim().split('\n', MOST_LINES)
  const line = withoutComma(first)
  if (line === '{')
    return 'The content has objects of several lines: NDJSON has one object per line (convert it with jq -c .).'
  if (!line.startsWith('[') || (others.length > 0 && isJson(line))) return null
  return "The content is a JSON array: NDJSON has one object per line (convert it with jq -c '.[]')."
}

/** Content that nobody has called CSV and whose first line is an object of JSON. */
export const hasJsonLines = (bytes: Buffer): boolean => {
  const [first = ''] = bytes.toString('utf8').trimStart().split('\n', 1)
  return first.startsWith('{') && isJson(withoutComma(first.trimEnd()))
}

/** To see whether there is more than one. */
const MOST_LINES = 2
