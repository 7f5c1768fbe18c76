/** The types of geometries that the engine has, by their numbers in well-known binary (OGC 06-103r4, 8.2). */
export const WKB_CODES = { Point: 1, LineString: 2, Polygon: 3, MultiLineString: 5, MultiPolygon: 6 } as const

export type WkbName = keyof typeof WKB_CODES

/** In SQL, of one geometry. */
export type WkbHeader = {
  /** Text that is no NULL. */
  readonly bytes: string
  /** The number of its type. */
  readonly code: string
  /** Of all but points: how many points, rings, lines or polygons. */
  readonly count: string
}

/** SQL: the header of bytes; something of such as have none. */
export const headerOf = (bytes: string): WkbHeader => {
  // Both at once: that costs less than a point does.
  const both = `reinterpretAsUInt64(substring(${bytes}, 2, 8))`
  return {
    bytes,
    code: ordered(`toUInt32(bitAnd(${both}, ${0xffff_ffff}))`, isLittle(bytes)),
    count: ordered(`toUInt32(bitShiftRight(${both}, 32))`, isLittle(bytes)),
  }
}

/** SQL: 1 where the first byte says an order of bytes. */
export const hasOrder = (bytes: string): string => `(reinterpretAsUInt8(${bytes}) <= 1)`

/** SQL: whether numbers begin with their smallest byte. */
const isLittle = (bytes: string): string => `(reinterpretAsUInt8(${bytes}) = 1)`

const ordered = (number: string, isLittle: string): string => `if(${isLittle}, ${number}, byteSwap(${number}))`
