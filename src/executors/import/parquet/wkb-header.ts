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
  const little = isLittle(bytes)
  return { bytes, code: numberAt(bytes, '2', little), count: numberAt(bytes, '6', little) }
}

/** SQL: 1 where the byte at a place, which is counted from 1, says an order of bytes. */
export const hasOrder = (bytes: string, at = '1'): string => `(reinterpretAsUInt8(substring(${bytes}, ${at}, 1)) <= 1)`

/** SQL: whether it says that numbers begin with their smallest byte. */
export const isLittle = (bytes: string, at = '1'): string => `(reinterpretAsUInt8(substring(${bytes}, ${at}, 1)) = 1)`

/** SQL: a number of 32 bits at a place; something where the bytes end before it. */
export const numberAt = (bytes: string, at: string, isLittle: string): string => {
  const four = `substring(${bytes}, ${at}, 4)`
  return `reinterpretAsUInt32(if(${isLittle}, ${four}, reverse(${four})))`
}
