import type { LogLine } from '../model/log-line.ts'
import type { Chunk } from './chunk.ts'
import { skipNewlines } from './newlines.ts'

const CARRIAGE_RETURN = 13

/** The lines of a chunk from `fromSeq`, at most `limit`. The `\r` of a `\r\n` is not part of a line. */
export const linesOf = (chunk: Chunk, fromSeq: number, limit: number): LogLine[] => {
  const skipped = Math.max(0, fromSeq - chunk.firstSeq)
  const wanted = Math.min(limit, chunk.count - skipped)
  if (wanted <= 0) return []
  const start = skipNewlines(chunk.text, 0, skipped)
  const reachesEnd = skipped + wanted === chunk.count
  const end = reachesEnd ? chunk.text.length : skipNewlines(chunk.text, start, wanted) - 1
  const texts = chunk.text.toString('utf8', start, end).split('\n')
  const endless = reachesEnd && chunk.ending !== 'newline' ? texts.length - 1 : -1
  const { attempt, stream, timestamp } = chunk
  const first = chunk.firstSeq + skipped
  const lines: LogLine[] = texts.map((text, i) => {
    const line = i === endless ? text : withoutReturn(text)
    return { seq: first + i, attempt, stream, timestamp, line }
  })
  if (reachesEnd && chunk.ending === 'continues') lines[endless] = { ...lines[endless]!, continues: true }
  return lines
}

const withoutReturn = (text: string): string =>
  text.charCodeAt(text.length - 1) === CARRIAGE_RETURN ? text.slice(0, -1) : text
