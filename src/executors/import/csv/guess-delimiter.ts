import type { Dialect } from './dialect.ts'
import { hasHeader, type Target } from './header.ts'
import { readRecords, type SampleRecord } from './read-fields.ts'

const COMMA = ','
const OTHERS = [';', '\t', '|']

/** Enough to see, and few to read once for each delimiter. */
const LOOK_BYTES = 64 * 1024
const MOST_RECORDS = 100

/** Of the first records, as many must be as wide as the very first. */
const LEAST_SHARE = 0.8

/**
 * The delimiter of content whose fields and first line name none: by which the first records are all, or nearly all, as wide as the very first, and
 * of more than one column. The comma, where another is no better at that; and where a data source would take what another parts neither by a header nor by
 * the number of its columns.
 */
export const guessDelimiter = (content: Buffer, quote: Dialect['quote'], target: Target): string => {
  const bytes = withLineFeeds(content.subarray(0, LOOK_BYTES))
  const look = (delimiter: string): Look => {
    const sample = { bytes, isWhole: content.length <= LOOK_BYTES }
    const records = readRecords(sample, { delimiter, quote }, MOST_RECORDS)
    return { delimiter, records, ...evenness(records) }
  }
  const comma = look(COMMA)
  if (target !== null && hasHeader(comma.records, target)) return COMMA
  const others = OTHERS.map(look).filter(found => isLikely(found) && suits(found, target))
  const [best] = [comma, ...others].filter(isLikely).toSorted((a, b) => b.share - a.share || rank(a, b))
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

const evenness = (records: readonly SampleRecord[]): Pick<Look, 'width' | 'share'> => {
  const width = records[0]?.fields.length ?? 0
  const alike = records.filter(({ fields }) => fields.length === width).length
  return { width, share: records.length === 0 ? 0 : alike / records.length }
}

const isLikely = ({ width, share }: Look): boolean => width > 1 && share >= LEAST_SHARE

/** Of those that are alike in their share the comma is first, then what makes the most columns. */
const rank = (a: Look, b: Look): number =>
  Number(b.delimiter === COMMA) - Number(a.delimiter === COMMA) || b.width - a.width

const suits = ({ records, width }: Look, target: Target): boolean =>
  target === null || width === target.columns.length || hasHeader(records, target)

const CR = 0x0d
const LF = 0x0a

/** Lines may end with CR alone; that is mended only when the delimiter is known. */
const withLineFeeds = (bytes: Buffer): Buffer =>
  bytes.includes(LF) ? bytes : Buffer.from(bytes.map(byte => (byte === CR ? LF : byte)))
