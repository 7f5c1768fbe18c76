/** The geometry types that the engine has, by their numbers in well-known binary (OGC 06-103r4, 8.2). */
export const WKB_CODES = { Point: 1, LineString: 2, Polygon: 3, MultiLineString: 5, MultiPolygon: 6 } as const

export type WkbName = keyof typeof WKB_CODES

/** SQL expressions for one geometry. */
export type WkbHeader = {
  /** Text, never NULL. */
  readonly bytes: string
  /** Its type number. */
  readonly code: string
  /** The number of points, rings, lines or polygons. Points have none. */
  readonly count: string
}

/** SQL: the header of bytes; anything if they have none. */
export const headerOf = (bytes: string): WkbHeader => {
  // Reads both at once, which costs less than reading a point.
  const both = `reinterpretAsUInt64(substring(${bytes}, 2, 8))`
  return {
    bytes,
    code: ordered(`toUInt32(bitAnd(${both}, ${0xffff_ffff}))`, isLittle(bytes)),
    count: ordered(`toUInt32(bitShiftRight(${both}, 32))`, isLittle(bytes)),
  }
}

/** SQL: 1 if the first byte is a valid byte order. */
export const hasOrder = (bytes: string): string => `(reinterpretAsUInt8(${bytes}) <= 1)`

/** SQL: whether numbers are little-endian. */
const isLittle = (bytes: string): string => `(reinterpretAsUInt8(${bytes}) = 1)`

const ordered = (number: string, isLittle: string): string => `if(${isLittle}, ${number}, byteSwap(${number}))`
