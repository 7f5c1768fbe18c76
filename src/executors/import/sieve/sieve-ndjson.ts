import { ReadWindow } from './read-window.ts'
import { type InvalidLine, LONGEST_RECORD, MOST_SAMPLES, type SieveReport, toInvalidLine } from './sieve-report.ts'
import { createRunWriter } from './write-runs.ts'

/** Passes on the lines that are one JSON object each. */
export const sieveNdjson = (input: number, output: number | null): SieveReport => {
  const window = new ReadWindow(input)
  const writer = createRunWriter(output)
  const samples: InvalidLine[] = []
  let invalid = 0
  let line = 1
  const drop = (bytes: Uint8Array, why: string): void => {
    invalid += 1
    if (samples.length < MOST_SAMPLES) samples.push(toInvalidLine(line, bytes, why))
  }
  while (window.bytes.length > 0 || !window.isLast) {
    const { bytes } = window
    const newline = bytes.indexOf(0x0a)
    if (newline === -1 && !window.isLast) {
      if (bytes.length < LONGEST_RECORD) {
        window.more()
        continue
      }
      drop(bytes, 'is longer than 16 MiB')
      while (window.bytes.indexOf(0x0a) === -1 && !window.isLast) {
        window.skip(window.bytes.length)
        window.more()
      }
      window.skip(window.bytes.indexOf(0x0a) === -1 ? window.bytes.length : window.bytes.indexOf(0x0a) + 1)
      line += 1
      continue
    }
    const end = newline === -1 ? bytes.length : newline + 1
    const record = bytes.subarray(0, end)
    const fault = faultOf(record)
    if (fault === null) writer.write(record)
    else if (fault !== '') drop(record, fault)
    window.skip(end)
    line += 1
  }
  writer.flush()
  return { type: 'sieved', invalid, samples }
}

/** null: it is right; '': it is blank. */
const faultOf = (record: Buffer): string | null => {
  const text = record.toString('utf8').trim()
  if (text === '') return ''
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? null : 'is no JSON object'
  } catch {
    return 'is no JSON'
  }
}
