/** An order of the bytes of numbers: the smallest first (NDR), or the largest (XDR). */
export type ByteOrder = 'little' | 'big'
type Point = readonly number[]

/** Well-known binary (OGC 06-103r4), also such as there should be none of. */
export const wkb = (order: ByteOrder) => {
  const uint = (value: number): Buffer => {
    const bytes = Buffer.alloc(4)
    if (order === 'little') bytes.writeUInt32LE(value)
    else bytes.writeUInt32BE(value)
    return bytes
  }
  const double = (value: number): Buffer => {
    const bytes = Buffer.alloc(8)
    if (order === 'little') bytes.writeDoubleLE(value)
    else bytes.writeDoubleBE(value)
    return bytes
  }
  const head = (code: number): Buffer => Buffer.concat([Buffer.of(order === 'little' ? 1 : 0), uint(code)])
  const coordinates = (points: readonly Point[]): readonly Buffer[] => points.flatMap(point => point.map(double))
  const counted = (points: readonly Point[]): readonly Buffer[] => [uint(points.length), ...coordinates(points)]
  const of = (code: number, parts: readonly Buffer[]): Buffer =>
    Buffer.concat([head(code), uint(parts.length), ...parts])
  return {
    uint,
    head,
    of,
    point: (point: Point, code = 1): Buffer => Buffer.concat([head(code), ...coordinates([point])]),
    line: (points: readonly Point[], code = 2): Buffer => Buffer.concat([head(code), ...counted(points)]),
    polygon: (rings: readonly (readonly Point[])[], code = 3): Buffer =>
      of(
        code,
        rings.map(ring => Buffer.concat(counted(ring))),
      ),
  }
}
