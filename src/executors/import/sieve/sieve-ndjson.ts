import { isUnicode, judgeLine } from '../ndjson/judge-line.ts'
import { ReadWindow } from './read-window.ts'
import { InvalidLines, LONGEST_RECORD, type SieveReport, TOO_LONG } from './sieve-report.ts'
import { createRunWriter } from './write-runs.ts'

/** Passes on lines that are one JSON object each, with or without a comma after it. Constant memory: a line is at most 16 MiB. */
export const sieveNdjson = (input: number, output: number | null): SieveReport => {
  const window = new ReadWindow(input)
  const writer = createRunWriter(output)
  const invalid = new InvalidLines()
  while (!window.isAtEnd) {
    const { bytes, isWhole } = window.currentLine
    if (!isWhole && bytes.length < LONGEST_RECORD) {
      window.more()
      continue
    }
    const line = isWhole && bytes.length <= LONGEST_RECORD ? bytes.toString('utf8') : null
    const verdict = line === null ? TOO_LONG : judgeLine(line)
    if (verdict === 'right') {
      write(writer, bytes)
      invalid.isUnicode &&= isUnicode(line!)
    } else if (verdict !== 'blank') invalid.add(window.line, bytes, verdict)
    window.skipLine()
  }
  writer.flush()
  return invalid.report()
}

const COMMA = 0x2c
const LINE_FEED = Buffer.from('\n')

/** Drops a comma after the object. */
const write = (writer: ReturnType<typeof createRunWriter>, line: Buffer): void => {
  const comma = line.lastIndexOf(COMMA)
  // No quote or bracket follows it.
  const isBehind = comma > line.lastIndexOf(CLOSING)
  writer.write(isBehind ? line.subarray(0, comma) : line)
  if (isBehind) writer.write(LINE_FEED)
}

const CLOSING = 0x7d
