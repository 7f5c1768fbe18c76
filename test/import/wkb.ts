/** A byte order of numbers: little-endian (NDR) or big-endian (XDR). */
export type ByteOrder = 'little' | 'big'
type Point = readonly number[]

/** Well-known binary (OGC 06-103r4), including invalid ones. */
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

/** What a reader of the standard makes of bytes: lists of points, or null if it is not a geometry of these five types or has bytes after it. A polygon has at least one ring, perhaps empty. */
export const readWkb = (bytes: Buffer): unknown => {
  let at = 0
  const take = (count: number): number => {
    if (at + count > bytes.length) throw new RangeError('it ends too early')
    at += count
    return at - count
  }
  const read = (expected?: number): unknown => {
    const order = bytes[take(1)]!
    if (order > 1) throw new RangeError('an order of bytes that is none')
    const uint = (): number => (order === 1 ? bytes.readUInt32LE(take(4)) : bytes.readUInt32BE(take(4)))
    const double = (): number => (order === 1 ? bytes.readDoubleLE(take(8)) : bytes.readDoubleBE(take(8)))
    const list = <T>(item: () => T): T[] => {
      const items: T[] = []
      for (let left = uint(); left > 0; left -= 1) items.push(item())
      return items
    }
    const point = () => [double(), double()]
    const code = uint()
    if (expected !== undefined && code !== expected) throw new RangeError('a part of another type')
    if (code === 1) return point()
    if (code === 2) return list(point)
    if (code === 3) {
      const rings = list(() => list(point))
      return rings.length === 0 ? [[]] : rings
    }
    if (code === 5) return list(() => read(2))
    if (code === 6) return list(() => read(3))
    throw new RangeError('another type')
  }
  try {
    const value = read()
    return at === bytes.length ? value : null
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}
