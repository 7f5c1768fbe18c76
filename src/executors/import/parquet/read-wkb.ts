import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { hasOrder, headerOf, WKB_CODES, type WkbHeader, type WkbName } from './wkb-header.ts'

/**
 * When to check that the parts of a geometry are complete. `after`: once it was read, by the size that the result would have; one that ends too early fails the
 * statement. Otherwise it was checked before: SQL, to follow IN, with the hashes of the damaged ones; null: there are none.
 */
export type WkbLook = 'after' | { readonly damaged: string | null }

/** SQL expressions. */
export type ReadWkb = {
  /** 1 if the engine can read it; never NULL. */
  readonly isRead: string
  /** If not, the index in `WKB_FAULTS`, from 1. */
  readonly fault: string
  /** A `Geometry`; another one if it is not read. */
  readonly geometry: string
  /** Its type number. */
  readonly code: string
  /** What the others refer to, for a WITH. */
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
 * Reads well-known binary in SQL, from a column that may have NULLs. The engine's function fails the statement if it cannot read something, so it only gets
 * what it can.
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

/** SQL: a 16-byte hash that identifies a geometry's bytes. */
export const hashOf = (bytes: string): string => `sipHash128(${bytes})`

/** SQL: whether bytes may be a geometry with parts, which may not end where the geometry does. */
export const hasParts = (bytes: string): string => {
  const { code, count } = headerOf(bytes)
  const { Polygon, MultiLineString, MultiPolygon } = WKB_CODES
  return `(${isFramed({ bytes, code, count })} AND ${code} IN (${[Polygon, MultiLineString, MultiPolygon].join(', ')}))`
}

/** Names what is used more than once, to keep the statement short. No user column can have such a name. */
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

/** Flags of PostGIS's EWKB. */
const FLAGS = { z: 0x8000_0000, m: 0x4000_0000, srid: 0x2000_0000 } as const

/** Types plus 1000, 2000 and 3000 have Z, M and both. A point of the right length that is not read is empty. */
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

/** SQL: 1 if the engine has its type, and its length is what its count says, or at least the minimum of that many parts. */
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
 * SQL: its size as WKB. The engine has no polygon without a ring and reads it as one with an empty ring. Nested in others, the two cannot be told apart and
 * also fail the statement.
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
