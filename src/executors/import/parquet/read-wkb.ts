import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { hasOrder, headerOf, WKB_CODES, type WkbHeader, type WkbName } from './wkb-header.ts'

/**
 * When it is looked at whether the parts of a geometry are whole. After it was read: what came of it would take as many bytes; one that ends too early
 * fails the statement. Else it has been: SQL, behind IN, of the hashes of those that are damaged; null: there are none.
 */
export type WkbLook = 'after' | { readonly damaged: string | null }

/** SQL. */
export type ReadWkb = {
  /** 1 where the engine can read it; never NULL. */
  readonly isRead: string
  /** Where not, the place of what is wrong in `WKB_FAULTS`, from 1. */
  readonly fault: string
  /** A `Geometry`; some other where it is not read. */
  readonly geometry: string
  /** The number of its type. */
  readonly code: string
  /** What a WITH has to say, where these refer to it. */
  readonly shared: readonly string[]
}

export const WKB_FAULTS = [
  'it has more than two dimensions',
  'it is EWKB with an SRID',
  'it is a MultiPoint, a collection, or of another type that is not read',
  'it is damaged, or no WKB',
  'it is an empty point',
] as const

/**
 * Well-known binary in SQL: of the column of a name, which may have NULL. The engine's function fails the statement where it cannot read something: it
 * is given nothing but what it can.
 */
export const readWkb = (column: string, look: WkbLook): ReadWkb => {
  const { shared, named } = namesFor(column)
  const bytes = `assumeNotNull(${quoteIdentifier(column)})`
  const { code: number, count } = headerOf(bytes)
  const code = named('code', number)
  const header = { bytes, code, count: named('count', count) }
  const framed = named('framed', isFramed(header))
  const isDamaged = look === 'after' || look.damaged === null ? '0' : `${hashOf(bytes)} IN ${look.damaged}`
  const readable = isDamaged === '0' ? framed : named('readable', `${framed} AND NOT (${isDamaged})`)
  const geometry = named('geometry', `readWKB(if(${readable}, ${bytes}, ${NOTHING}))`)
  const isWhole = look === 'after' ? `${framed} AND ${sizeOf(geometry, header)} = length(${bytes})` : readable
  const isRead = named('read', `${isWhole} AND NOT ${isNowhere(geometry, code)}`)
  return { isRead, fault: faultOf(header), geometry, code, shared }
}

/** SQL: what the bytes of a geometry are known by, in 16 bytes. */
export const hashOf = (bytes: string): string => `sipHash128(${bytes})`

/** SQL: whether bytes may be a geometry with parts, which may not end where it does. */
export const hasParts = (bytes: string): string => {
  const { code, count } = headerOf(bytes)
  const { Polygon, MultiLineString, MultiPolygon } = WKB_CODES
  return `(${isFramed({ bytes, code, count })} AND ${code} IN (${[Polygon, MultiLineString, MultiPolygon].join(', ')}))`
}

/** What is used more than once gets a name, that no column of anybody's has: else the statement would be long. */
const namesFor = (column: string) => {
  const shared: string[] = []
  const named = (what: string, sql: string): string => {
    const name = quoteIdentifier(`\t${what} ${column}`)
    shared.push(`${sql} AS ${name}`)
    return name
  }
  return { shared, named }
}

/** An empty polygon. */
const NOTHING = `unhex('010300000000000000')`

const isNowhere = (geometry: string, code: string): string => {
  const isMissing = (at: number) => `isNaN(tupleElement(variantElement(${geometry}, 'Point'), ${at}))`
  return `(${code} = ${WKB_CODES.Point} AND ${isMissing(1)} AND ${isMissing(2)})`
}

/** EWKB's, of PostGIS. */
const FLAGS = { z: 0x8000_0000, m: 0x4000_0000, srid: 0x2000_0000 } as const

/** One, two and three thousand more say Z, M and both. A point that is as long as one is, and is not read, is empty. */
const faultOf = ({ bytes, code }: WkbHeader): string => {
  const hasDimensions = `bitAnd(${code}, ${FLAGS.z + FLAGS.m}) != 0 OR (${code} BETWEEN 1001 AND 3017 AND ${code} % 1000 BETWEEN 1 AND 17)`
  const faults = [
    [`length(${bytes}) < 5 OR NOT ${hasOrder(bytes)}`, 4],
    [hasDimensions, 1],
    [`bitAnd(${code}, ${FLAGS.srid}) != 0`, 2],
    [`${code} = 4 OR ${code} BETWEEN 7 AND 17`, 3],
    [`${code} = ${WKB_CODES.Point} AND length(${bytes}) = 21`, 5],
  ]
  return `multiIf(${faults.flat().join(', ')}, 4)`
}

/** SQL: 1 where it is of a type that the engine has, and as long as its count says, or as so many parts are at least. */
const isFramed = ({ bytes, code, count }: WkbHeader): string => {
  const { Point, LineString, Polygon, MultiLineString, MultiPolygon } = WKB_CODES
  const length = `length(${bytes})`
  const lengths = [
    `${code} = ${Point} AND ${length} = 21`,
    `${code} = ${LineString} AND ${length} = 9 + 16 * ${count}`,
    `${code} = ${Polygon} AND ${length} >= 9 + 4 * ${count}`,
    `${code} IN (${MultiLineString}, ${MultiPolygon}) AND ${length} >= 9 + 9 * ${count}`,
  ]
  return `(${hasOrder(bytes)} AND ${length} >= 9 AND (${lengths.join(' OR ')}))`
}

/**
 * SQL: the bytes that it would have as WKB. The engine has no polygon without a ring, and one with an empty ring for it: which it was is not to be told within
 * others, and fails the statement, too.
 */
const sizeOf = (geometry: string, { bytes, code, count }: WkbHeader): string => {
  const element = (name: WkbName) => `variantElement(${geometry}, '${name}')`
  const points = (list: string) => `16 * length(${list})`
  const polygon = `9 + arraySum(r -> 4 + ${points('r')}, p) + throwIf(arrayExists(r -> empty(r), p))`
  const { Polygon } = WKB_CODES
  const sizes = [
    `if(${code} = ${Polygon}, 4 * ${count}, 0)`,
    `arraySum(r -> ${points('r')}, ${element('Polygon')})`,
    `arraySum(l -> 9 + ${points('l')}, ${element('MultiLineString')})`,
    `arraySum(p -> ${polygon}, ${element('MultiPolygon')})`,
  ]
  return `if(${code} < ${Polygon}, length(${bytes}), 9 + ${sizes.join(' + ')})`
}
