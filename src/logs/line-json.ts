import { toTimestamp } from '../kernel/clock.ts'
import type { LogLine } from '../model/log-line.ts'

/**
 * Encodes lines as JSON objects `{seq, attempt, stream, timestamp, line}`, the form of live messages and NDJSON. Hand-written for speed, because this
 * limits the number of live followers, and most fields are the same from line to line.
 */
export const lineEncoder = (): ((line: LogLine) => string) => {
  let last: LogLine | null = null
  let middle = ''
  return line => {
    if (last === null || !sharesMiddle(last, line)) middle = middleOf(line)
    last = line
    return `{"seq":${line.seq}${middle}${JSON.stringify(line.line)}${line.continues ? ',"continues":true' : ''}}`
  }
}

const sharesMiddle = (a: LogLine, b: LogLine): boolean =>
  a.timestamp === b.timestamp && a.stream === b.stream && a.attempt === b.attempt

const middleOf = ({ attempt, stream, timestamp }: LogLine): string =>
  `,"attempt":${attempt},"stream":"${stream}","timestamp":"${toTimestamp(timestamp)}","line":`
