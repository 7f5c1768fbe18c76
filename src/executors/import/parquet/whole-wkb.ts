import { WKB_CODES } from './wkb-header.ts'

/** Header of a part: byte order, type number and count. */
const HEADER_BYTES = 9
const POINT_BYTES = 16

/** Whether the parts of a geometry end exactly where it does (OGC 06-103r4, 8.2). Goes from count to count, without reading points. */
export const isWholeWkb = (bytes: Buffer): boolean => {
  const whole = headerAt(bytes, 0)
  if (whole === null) return false
  switch (whole.code) {
    case WKB_CODES.Polygon:
      return endOfRings(bytes, HEADER_BYTES, whole) === bytes.length
    case WKB_CODES.MultiLineString:
      return endOfParts(bytes, whole.count, endOfLine) === bytes.length
    case WKB_CODES.MultiPolygon:
      return endOfParts(bytes, whole.count, endOfPolygon) === bytes.length
    default:
      return false
  }
}

/** Beyond any end. */
const DAMAGED = Number.POSITIVE_INFINITY

type Header = { readonly isLittle: boolean; readonly code: number; readonly count: number }

/** null: there is none. */
const headerAt = (bytes: Buffer, at: number): Header | null => {
  const order = bytes[at]
  if (at + HEADER_BYTES > bytes.length || order === undefined || order > 1) return null
  const isLittle = order === 1
  return { isLittle, code: numberAt(bytes, at + 1, isLittle), count: numberAt(bytes, at + 5, isLittle) }
}

const numberAt = (bytes: Buffer, at: number, isLittle: boolean): number =>
  isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)

const endOfParts = (bytes: Buffer, count: number, end: (bytes: Buffer, at: number) => number): number => {
  let at = HEADER_BYTES
  for (let left = count; left > 0 && at <= bytes.length; left -= 1) at = end(bytes, at)
  return at
}

const endOfLine = (bytes: Buffer, at: number): number => {
  const header = headerAt(bytes, at)
  return header?.code === WKB_CODES.LineString ? at + HEADER_BYTES + POINT_BYTES * header.count : DAMAGED
}

const endOfPolygon = (bytes: Buffer, at: number): number => {
  const header = headerAt(bytes, at)
  return header?.code === WKB_CODES.Polygon ? endOfRings(bytes, at + HEADER_BYTES, header) : DAMAGED
}

const endOfRings = (bytes: Buffer, from: number, { count, isLittle }: Header): number => {
  let at = from
  for (let left = count; left > 0; left -= 1) {
    if (at + 4 > bytes.length) return DAMAGED
    at += 4 + POINT_BYTES * numberAt(bytes, at, isLittle)
  }
  return at
}
