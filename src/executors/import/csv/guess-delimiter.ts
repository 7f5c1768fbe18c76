import { fits } from './csv-columns.ts'
import type { Dialect } from './dialect.ts'
import { hasHeader, type Target } from './header.ts'
import { readBeginning, type SampleRecord } from './read-fields.ts'

const COMMA = ','
const OTHERS = [';', '\t', '|']

/** Enough to see, and few to read once for each delimiter. */
const LOOK_BYTES = 64 * 1024
const MOST_RECORDS = 100

/** Of the first records, as many must be as wide as the very first: of four lines one may be another. */
const LEAST_SHARE = 0.75

/**
 * The delimiter of content whose fields and first line name none: by which the first records are all, or nearly all, as wide as the very first, and
 * of more than one column. The comma, where another is no better at that; and where a data source would take what another parts neither by a header nor by
 * the number of its columns. A record that cannot be read is as wide as none.
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
  const likely = [comma, ...others].filter(found => isLikely(found) && suits(found, target))
  const [best] = likely.toSorted((a, b) => b.share - a.share || rank(a, b))
  return best?.delimiter ?? COMMA
}

type Look = {
  readonly delimiter: string
  readonly records: readonly SampleRecord[]
  /** Columns of the first record; 0: there is none. */
  readonly width: number
  /** Of the records that are as wide. */
  readonly share: number
}

type Lines = {
  readonly records: readonly SampleRecord[]
  /** How many lines between or behind them cannot be read. */
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

/** What does nothing but end each line parts nothing. */
const parts = ({ records }: Look): boolean =>
  records.some(({ fields }) => fields.slice(1).some(({ text }) => text !== ''))

/** Of those that are alike in their share the comma is first, then what makes the most columns. */
const rank = (a: Look, b: Look): number =>
  Number(b.delimiter === COMMA) - Number(a.delimiter === COMMA) || b.width - a.width

const suits = ({ records }: Look, target: Target): boolean =>
  target === null || makesColumns(records[0]!, target) || hasHeader(records, target)

/** Of one column nothing has to be parted: what ends a line is a part of its text. */
const makesColumns = ({ fields }: SampleRecord, { columns }: NonNullable<Target>): boolean =>
  columns.length > 1 && fits(fields, columns.length)

const CR = 0x0d
const LF = 0x0a

/** Lines may end with CR alone; that is mended only when the delimiter is known. */
const withLineFeeds = (bytes: Buffer): Buffer =>
  bytes.includes(LF) ? bytes : Buffer.from(bytes.map(byte => (byte === CR ? LF : byte)))
