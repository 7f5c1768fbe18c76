import { fits } from './csv-columns.ts'
import type { Dialect } from './dialect.ts'
import { hasHeader, type Target } from './header.ts'
import { readBeginning, type SampleRecord } from './read-fields.ts'

const COMMA = ','
const OTHERS = [';', '\t', '|']

/** Enough to judge by, and fast to read once per delimiter. */
const LOOK_BYTES = 64 * 1024
const MOST_RECORDS = 100

/** The share of the first records that must be as wide as the very first: one in four may differ. */
const LEAST_SHARE = 0.75

/**
 * Guesses the delimiter, when neither the fields nor the first line name it: the one by which all or nearly all of the first records are as wide as the very
 * first, with more than one column. The comma, if no other does better, or if the others fit the data source neither by a header nor by the number of columns.
 * But not if every comma is a decimal one by another delimiter that does no worse. An unreadable record counts as being of another width.
 */
export const guessDelimiter = (content: Buffer, quote: Dialect['quote'], target: Target): string => {
  const bytes = withLineFeeds(content.subarray(0, LOOK_BYTES))
  const sample = { bytes, isWhole: content.length <= LOOK_BYTES }
  const look = (delimiter: string): Look => {
    const lines = readLines(sample, { delimiter, quote })
    return { delimiter, records: lines.records, ...evenness(lines) }
  }
  const comma = look(COMMA)
  if (target !== null && hasHeader(comma.records, target)) return COMMA
  const others = OTHERS.map(look).filter(parts)
  const likely = [comma, ...others]
    .filter(found => isLikely(found) && suits(found, target))
    .filter((found, _, all) => found !== comma || !all.some(other => other.share >= comma.share && hasDecimals(other)))
  const [best] = likely.toSorted((a, b) => b.share - a.share || rank(a, b))
  return best?.delimiter ?? COMMA
}

type Look = {
  readonly delimiter: string
  readonly records: readonly SampleRecord[]
  /** Columns of the first record; 0: there are no records. */
  readonly width: number
  /** The share of records that are as wide. */
  readonly share: number
}

type Lines = {
  readonly records: readonly SampleRecord[]
  /** Unreadable lines between or after them. */
  readonly broken: number
}

const readLines = (sample: Parameters<typeof readBeginning>[0], dialect: Dialect): Lines => {
  const records: SampleRecord[] = []
  let { bytes } = sample
  for (let broken = 0; ; broken++) {
    const beginning = readBeginning({ ...sample, bytes }, dialect, MOST_RECORDS - records.length - broken)
    records.push(...beginning.records)
    if (beginning.brokenAt === null) return { records, broken }
    bytes = bytes.subarray(lineEnd(bytes, beginning.brokenAt))
  }
}

const lineEnd = (bytes: Buffer, from: number): number => {
  const end = bytes.indexOf(LF, from)
  return end === -1 ? bytes.length : end + 1
}

const evenness = ({ records, broken }: Lines): Pick<Look, 'width' | 'share'> => {
  const width = records[0]?.fields.length ?? 0
  const alike = records.filter(({ fields }) => fields.length === width).length
  return { width, share: records.length === 0 ? 0 : alike / (records.length + broken) }
}

const isLikely = ({ width, share }: Look): boolean => width > 1 && share >= LEAST_SHARE

/** A delimiter that only ends lines separates nothing. */
const parts = ({ records }: Look): boolean =>
  records.some(({ fields }) => fields.slice(1).some(({ text }) => text !== ''))

/** Whether every comma is the decimal separator of a number. */
const hasDecimals = ({ records }: Look): boolean => {
  const withComma = records.flatMap(({ fields }) => fields.filter(({ text }) => text.includes(COMMA)))
  return withComma.length > 0 && withComma.every(({ text }) => DECIMAL.test(text))
}

/** `-1.234,50`, also with a unit: `49,6 %`. */
const DECIMAL = /^[-+]?\d([\d.\s]*\d)?,\d+(\s?[%€$£])?$/

/** Breaks ties in the share: the comma first, then the delimiter with the most columns. */
const rank = (a: Look, b: Look): number =>
  Number(b.delimiter === COMMA) - Number(a.delimiter === COMMA) || b.width - a.width

const suits = ({ records }: Look, target: Target): boolean =>
  target === null || makesColumns(records[0]!, target) || hasHeader(records, target)

/** A single column needs no delimiter: one at the end of a line is part of the text. */
const makesColumns = ({ fields }: SampleRecord, { columns }: NonNullable<Target>): boolean =>
  columns.length > 1 && fits(fields, columns.length)

const CR = 0x0d
const LF = 0x0a

/** Lines may end with CR alone, which is only mended once the delimiter is known. */
const withLineFeeds = (bytes: Buffer): Buffer =>
  bytes.includes(LF) ? bytes : Buffer.from(bytes.map(byte => (byte === CR ? LF : byte)))
