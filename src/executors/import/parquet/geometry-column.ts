import type { Column } from '../../../model/data-source.ts'
import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { readColumnType } from '../load/column-type.ts'
import type { ReadColumn } from '../load/reader.ts'
import { type ReadWkb, readWkb, WKB_FAULTS, type WkbLook } from './read-wkb.ts'
import { WKB_CODES, type WkbName } from './wkb-header.ts'

const NAMES = Object.keys(WKB_CODES) as readonly WkbName[]

/** Whether this is the engine's type for a GeoParquet column. Nothing else in a file has one of these types. */
export const isGeometry = (type: string): boolean => type === 'Geometry' || NAMES.some(name => name === type)

/** The type to read a column as. Geometries are read as bytes: the engine would read NULL as a point or an empty list, and fail on one that it lacks. */
export const withBytes = (type: string): string => (isGeometry(type) ? 'Nullable(String)' : type)

/** Reads a GeoParquet column as bytes: its geometries, or why they are not. */
export const readGeometry = (column: Column, fileType: string, look: WkbLook): ReadColumn => {
  const { name, type } = column
  const place = quoteIdentifier(name)
  const wkb = readWkb(name, look)
  const shown = fileType === 'Geometry' ? `toString(${wkb.geometry})` : `toJSONString(${wkb.geometry})`
  const text = `multiIf(isNull(${place}), NULL, ${wkb.isRead}, ${shown}, hex(${place}))`
  const taken = takenBy(type, wkb, text)
  const reasons = [
    [`isNull(${place})`, taken === null || readColumnType(type).nullable ? 0 : MISSING],
    [`NOT ${wkb.isRead}`, wkb.fault],
    [taken?.isOther ?? '0', OTHER],
  ]
  return {
    name,
    type,
    column,
    text,
    emptyIsNull: false,
    isUtf8: true,
    asIs: taken?.value ?? null,
    unfit: {
      reason: `multiIf(${reasons.flat().join(', ')}, 0)`,
      complaints: [...WKB_FAULTS, 'it is missing', `${name} is not a valid ${type}`],
    },
    shared: wkb.shared,
  }
}

const [MISSING, OTHER] = [WKB_FAULTS.length + 1, WKB_FAULTS.length + 2]

type Taken = {
  /** SQL: the value. */
  readonly value: string
  /** SQL: whether it is of another type. */
  readonly isOther: string
}

/** What a column accepts: all geometries or their texts, or those that are the same lists of points as its type. null: the text must be judged. */
const takenBy = (type: string, { geometry, code }: ReadWkb, text: string): Taken | null => {
  const { base, nullable } = readColumnType(type)
  if (base === 'Geometry') return { value: geometry, isOther: '0' }
  if (base === 'String') return { value: nullable ? text : `assumeNotNull(${text})`, isOther: '0' }
  const names = NAMES.filter(name => readColumnType(name).base === base)
  const values = names.map(name => `CAST(variantElement(${geometry}, '${name}') AS ${base})`)
  if (values.length === 0) return null
  return {
    value: values.reduce((rest, value, index) => `if(${code} = ${WKB_CODES[names[index]!]}, ${value}, ${rest})`),
    isOther: `${code} NOT IN (${names.map(name => WKB_CODES[name]).join(', ')})`,
  }
}

/** SQL: the geometry in a GeoParquet column read as bytes, or its bytes in hex if the engine lacks it. */
export const anyGeometry = (
  name: string,
  look: WkbLook,
): { readonly value: string; readonly shared: readonly string[] } => {
  const { isRead, geometry, shared } = readWkb(name, look)
  const place = quoteIdentifier(name)
  const either = `${isRead}, CAST(${geometry} AS Dynamic), CAST(hex(${place}) AS Dynamic)`
  return { value: `multiIf(isNull(${place}), NULL, ${either})`, shared }
}
