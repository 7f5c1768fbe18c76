import { ReadWindow } from './read-window.ts'
import { InvalidLines, LONGEST_RECORD, type SieveReport, TOO_LONG } from './sieve-report.ts'
import { createRunWriter } from './write-runs.ts'

/** Passes on the lines that are one JSON object each. Constant memory: a line is at most 16 MiB. */
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
    const verdict = isWhole ? judge(bytes) : TOO_LONG
    if (verdict === 'right') writer.write(bytes)
    else if (verdict !== 'blank') invalid.add(window.line, bytes, verdict)
    window.skipLine()
  }
  writer.flush()
  return invalid.report()
}

/** What is wrong with it, or that nothing is. */
const judge = (line: Buffer): string => {
  const text = line.toString('utf8').trim()
  if (text === '') return 'blank'
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? 'right' : 'is no JSON object'
  } catch {
    return 'is no JSON'
  }
}
