import { withoutEnd } from '../../../kernel/without-end.ts'
import { type Dialect, keepsBlanks } from './dialect.ts'
import { scanRecord } from './scan-records.ts'
import { separatorLine } from './separator-line.ts'

export type Field = { readonly text: string; readonly quoted: boolean }

/** The fields of a record between these positions, for which `scanRecord` returned `ok`. */
const readFields = (bytes: Buffer, start: number, end: number, dialect: Dialect): readonly Field[] => {
  const { delimiter, quote } = dialect
  const trims = !keepsBlanks(dialect)
  const record = bytes.subarray(start, end).toString('utf8')
  const text = withoutEnd(record.replace(trims ? /^[ \t]*\r/ : /^\r/, ''), '\r\n')
  const fields: Field[] = []
  for (let at = 0; ; ) {
    while (trims && at < text.length && (text[at] === ' ' || text[at] === '\t')) at++
    if (quote !== '' && text[at] === quote) {
      let value = ''
      for (at++; ; ) {
        const close = text.indexOf(quote, at)
        value += text.slice(at, close === -1 ? text.length : close)
        at = close === -1 ? text.length : close + 1
        if (text[at] !== quote) break
        value += quote
        at++
      }
      fields.push({ text: value, quoted: true })
      at = text.indexOf(delimiter, at)
    } else {
      const next = text.indexOf(delimiter, at)
      const value = text.slice(at, next === -1 ? text.length : next)
      fields.push({ text: trims ? withoutEnd(value, ' \t') : value, quoted: false })
      at = next
    }
    if (at === -1) return fields
    at++
  }
}

/** A record at the beginning of content. */
export type SampleRecord = {
  readonly fields: readonly Field[]
  /** Lines of the file up to the end of this record. */
  readonly linesToEnd: number
}

type Bytes = { readonly bytes: Buffer; readonly isWhole: boolean }

/** The complete records of a sample, at most `limit`, up to one that cannot be read. Skips a separator line and blank lines. */
export const readRecords = (
  sample: Bytes,
  dialect: Dialect,
  limit = Number.POSITIVE_INFINITY,
): readonly SampleRecord[] => readBeginning(sample, dialect, limit).records

type Beginning = {
  readonly records: readonly SampleRecord[]
  /** Where the next record is faulty, if it cannot be read. */
  readonly brokenAt: number | null
}

/** Same, with why there are no more. */
export const readBeginning = ({ bytes, isWhole }: Bytes, dialect: Dialect, limit: number): Beginning => {
  const records: SampleRecord[] = []
  const separator = separatorLine(bytes)
  let linesToEnd = separator === null ? 0 : 1
  for (let at = separator?.length ?? 0; at < bytes.length && records.length < limit; ) {
    const { type, end, lines } = scanRecord(bytes, { start: at, dialect, isLast: isWhole })
    if (type !== 'ok' && type !== 'blank') return { records, brokenAt: type === 'cut' ? null : end }
    linesToEnd += lines
    if (type === 'ok') records.push({ fields: readFields(bytes, at, end, dialect), linesToEnd })
    at = end
  }
  return { records, brokenAt: null }
}
