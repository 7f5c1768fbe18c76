import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import {
  HEADER_BYTES,
  hasOrder,
  headerOf,
  isLittle,
  numberAt,
  WKB_CODES,
  type WkbHeader,
  type WkbName,
} from './wkb-header.ts'

/** For where a part begins. No column of anybody's has such names. */
const [PART, INNER, STEP] = [quoteIdentifier('\tpart'), quoteIdentifier('\tinner'), quoteIdentifier('\tstep')]

/** In the place of where something ends. */
const DAMAGED = 0
const UNKNOWN = -1

/** Bytes that may be copied for a list of parts: the engine copies all of the geometry for each. Eight thousand rings of one of a MiB are so many. */
const MOST_COPIED = 2 ** 33

/**
 * SQL: 1 where the parts of a geometry end just where it does. It goes from count to count, and does not read what is between them. Also 1 of what has
 * too many parts to look at, which the engine, that fails the statement at what it cannot read, may try to.
 */
export const isWalkable = (header: WkbHeader): string => {
  const { bytes, code, count } = header
  const outer = { bytes, count, from: '10', part: PART }
  const parts = {
    Polygon: { smallest: 4, end: pointsEnd(bytes, PART, isLittle(bytes)) },
    MultiLineString: { smallest: HEADER_BYTES, end: lineEnd(bytes) },
    MultiPolygon: { smallest: HEADER_BYTES, end: polygonEnd(bytes) },
  }
  const walks = Object.entries(parts).flatMap(([name, part]) => {
    const when = `${code} = ${WKB_CODES[name as WkbName]}`
    return [when, walk({ ...outer, ...part, when })]
  })
  const behind = `toInt64(length(${bytes}) + 1)`
  return `(multiIf(${walks.join(', ')}, ${behind}) IN (${behind}, ${UNKNOWN}))`
}

type Walk = {
  readonly bytes: string
  /** SQL: how many parts there are said to be. */
  readonly count: string
  /** SQL: where the first begins. */
  readonly from: string
  /** Bytes that one has at least. */
  readonly smallest: number
  /** The name for where one begins. */
  readonly part: string
  /** SQL: where it ends. */
  readonly end: string
  /** SQL: whether there is something to walk over. */
  readonly when: string
}

/** SQL: where the last of some parts ends. */
const walk = ({ bytes, count, from, smallest, part, end, when }: Walk): string => {
  const [length, claim] = [`toInt64(length(${bytes}))`, `toInt64(${count})`]
  const isTooMany = `${claim} > intDiv(${length} + 1 - ${from}, ${smallest})`
  const isTooLong = `${claim} * ${length} > ${MOST_COPIED}`
  const start = `toInt64(multiIf(NOT (${when}) OR ${isTooMany}, ${DAMAGED}, ${isTooLong}, ${UNKNOWN}, ${from}))`
  const steps = `range(toUInt64(if(${start} > 0, ${claim}, 0)))`
  const step = `multiIf(${part} <= 0, ${part}, ${part} + ${smallest} > ${length} + 1, ${DAMAGED}, ${end})`
  return `arrayFold((${part}, ${STEP}) -> toInt64(${step}), ${steps}, ${start})`
}

/** SQL: behind a number at a place, and as many points. */
const pointsEnd = (bytes: string, at: string, isLittle: string): string =>
  `${at} + 4 + 16 * toInt64(${numberAt(bytes, at, isLittle)})`

/** SQL: parts of others are geometries themselves, each in an order of bytes of its own. */
const partOf = (bytes: string, name: WkbName) => {
  const header = headerOf(`substring(${bytes}, ${PART}, ${HEADER_BYTES})`)
  return { ...header, isOne: `(${hasOrder(header.bytes)} AND ${header.code} = ${WKB_CODES[name]})` }
}

const lineEnd = (bytes: string): string => {
  const { isOne, count } = partOf(bytes, 'LineString')
  return `if(${isOne}, ${PART} + ${HEADER_BYTES} + 16 * toInt64(${count}), ${DAMAGED})`
}

const polygonEnd = (bytes: string): string => {
  const { isOne, count, bytes: header } = partOf(bytes, 'Polygon')
  return walk({
    bytes,
    count,
    from: `(${PART} + ${HEADER_BYTES})`,
    smallest: 4,
    part: INNER,
    end: pointsEnd(bytes, INNER, isLittle(header)),
    when: `${PART} > 0 AND ${isOne}`,
  })
}
