import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { isWalkable } from './walk-wkb.ts'
import { hasOrder, headerOf, WKB_CODES, type WkbHeader, type WkbName } from './wkb-header.ts'

/**
 * When it is looked at whether the parts of a geometry are whole. After it was read: what came of it would take as many bytes; one that ends too early
 * fails the statement. Before takes longer, where there are many parts.
 */
export type WkbLook = 'after' | 'before'

/** Names of SQL, which `shared` gives to what they mean. */
export type ReadWkb = {
  /** 0 where the engine can read it, else the place of what is wrong in `WKB_FAULTS`, from 1; never NULL. */
  readonly fault: string
  /** A `Geometry`; some other where there is a fault. */
  readonly geometry: string
  /** The number of its type. */
  readonly code: string
  /** What a WITH has to say. */
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
  const bytes = named('bytes', `ifNull(${quoteIdentifier(column)}, '')`)
  const { code: number, count } = headerOf(bytes)
  const code = named('code', number)
  const header = { bytes, code, count: named('count', count) }
  const framed = named('framed', isFramed(header))
  const readable = look === 'after' ? framed : named('walkable', `${framed} AND ${isWalkable(header)}`)
  const geometry = named('geometry', `readWKB(if(${readable}, ${bytes}, ${NOTHING}))`)
  const isWhole = look === 'after' ? `${sizeOf(geometry, header)} = length(${bytes})` : readable
  const isOther = (condition: string) => `${hasOrder(bytes)} AND length(${bytes}) >= 5 AND ${condition}`
  const faults = [
    [isOther(hasMoreDimensions(code)), 1],
    [isOther(`bitAnd(${code}, ${FLAGS.srid}) != 0`), 2],
    [isOther(`(${code} = 4 OR ${code} BETWEEN 7 AND 17)`), 3],
    [`NOT ${framed} OR NOT (${isWhole})`, 4],
    [`${code} = ${WKB_CODES.Point} AND ${isNowhere(`variantElement(${geometry}, 'Point')`)}`, 5],
  ]
  const fault = named('fault', `multiIf(${faults.flat().join(', ')}, 0)`)
  return { fault, geometry, code, shared }
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

/** EWKB's, of PostGIS. */
const FLAGS = { z: 0x8000_0000, m: 0x4000_0000, srid: 0x2000_0000 } as const

/** One, two and three thousand more say Z, M and both. */
const hasMoreDimensions = (code: string): string =>
  `(bitAnd(${code}, ${FLAGS.z + FLAGS.m}) != 0 OR (${code} BETWEEN 1001 AND 3017 AND ${code} % 1000 BETWEEN 1 AND 17))`

const isNowhere = (point: string): string => `isNaN(tupleElement(${point}, 1)) AND isNaN(tupleElement(${point}, 2))`

/** SQL: 1 where it is of a type that the engine has, and as long as its count says, or as so many parts are at least. */
const isFramed = ({ bytes, code, count }: WkbHeader): string => {
  const length = `toInt64(length(${bytes}))`
  const { Point, LineString, Polygon, MultiLineString, MultiPolygon } = WKB_CODES
  const cases = [
    [`NOT ${hasOrder(bytes)}`, '0'],
    [`${code} = ${Point}`, `${length} = 21`],
    [`${length} < 9`, '0'],
    [`${code} = ${LineString}`, `${length} = 9 + 16 * ${count}`],
    [`${code} = ${Polygon}`, `${count} <= intDiv(${length} - 9, 4)`],
    [`${code} IN (${MultiLineString}, ${MultiPolygon})`, `${count} <= intDiv(${length} - 9, 9)`],
  ]
  return `multiIf(${cases.flat().join(', ')}, 0)`
}

/** SQL: the bytes that it would have as WKB. */
const sizeOf = (geometry: string, { bytes, code }: WkbHeader): string => {
  const points = (list: string) => `16 * length(${list})`
  const rings = (polygon: string) => `9 + arraySum(r -> 4 + ${points('r')}, ${polygon})`
  const size = {
    Polygon: rings,
    MultiLineString: (lines: string) => `9 + arraySum(l -> 9 + ${points('l')}, ${lines})`,
    MultiPolygon: (polygons: string) => `9 + arraySum(p -> ${rings('p')}, ${polygons})`,
  }
  const sizes = Object.entries(size).flatMap(([name, of]) => [
    `${code} = ${WKB_CODES[name as WkbName]}`,
    of(`variantElement(${geometry}, '${name}')`),
  ])
  return `multiIf(${sizes.join(', ')}, length(${bytes}))`
}
