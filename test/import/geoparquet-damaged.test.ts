import { describe, expect, test } from 'vitest'
import { big, geoMetadata, little, RING, useGeoparquet } from './use-geoparquet.ts'
import { readWkb } from './wkb.ts'

const { parquet, ofBytes, quarantined } = useGeoparquet()

const DEEP = [
  [0, 0, 7],
  [1, 1, 7],
]
const HUGE = 2 ** 31

const DIMENSIONS = 'it has more than two dimensions'
const SRID = 'it is EWKB with an SRID'
const TYPE = 'it is a MultiPoint, a collection, or of another type that is not read'
const DAMAGED = 'it is damaged, or no WKB'
const EMPTY = 'it is an empty point'

/** Geometries that the engine cannot represent, with the reported fault. */
const FOREIGN: Readonly<Record<string, readonly [Buffer, string]>> = {
  'a point with Z': [little.point([1, 2, 3], 1001), DIMENSIONS],
  'a point with M': [big.point([1, 2, 3], 2001), DIMENSIONS],
  'a point with Z and M': [little.point([1, 2, 3, 4], 3001), DIMENSIONS],
  'a point with Z of EWKB': [little.point([1, 2, 3], 0x8000_0001), DIMENSIONS],
  'a line with M of EWKB': [big.line(DEEP, 0x4000_0002), DIMENSIONS],
  'a polygon with Z': [little.polygon([DEEP], 1003), DIMENSIONS],
  'a collection with Z': [little.of(1007, [little.point([1, 2, 3], 1001)]), DIMENSIONS],
  'a point with an SRID': [
    Buffer.concat([little.head(0x2000_0001), little.uint(4326), little.point([1, 2]).subarray(5)]),
    SRID,
  ],
  'a point with Z and an SRID': [little.point([1, 2, 3], 0xa000_0001), DIMENSIONS],
  'several points': [little.of(4, [little.point([1, 2])]), TYPE],
  'a collection': [big.of(7, [big.point([1, 2]), big.line(RING)]), TYPE],
  'an empty collection': [little.of(7, []), TYPE],
  'a circular string': [little.line(RING, 8), TYPE],
  'a triangle': [little.polygon([RING], 17), TYPE],
  'an empty point': [little.point([Number.NaN, Number.NaN]), EMPTY],
  'an empty point of the other order': [big.point([Number.NaN, Number.NaN]), EMPTY],
  nothing: [Buffer.alloc(0), DAMAGED],
  'a byte': [Buffer.of(1), DAMAGED],
  'a text': [Buffer.from('POINT(1 2)'), DAMAGED],
  'a third order of bytes': [Buffer.concat([Buffer.of(2), little.point([1, 2]).subarray(1)]), DAMAGED],
  'a type that is none': [little.point([1, 2], 99), DAMAGED],
  'a type of zero': [little.point([1, 2], 0), DAMAGED],
  'a point that ends too early': [little.point([1, 2]).subarray(0, 20), DAMAGED],
  'a point followed by other bytes': [Buffer.concat([little.point([1, 2]), Buffer.of(0)]), DAMAGED],
  'a line that ends too early': [little.line(RING).subarray(0, -1), DAMAGED],
  'a line followed by other bytes': [Buffer.concat([big.line(RING), Buffer.alloc(16)]), DAMAGED],
  'a line of a great many points': [Buffer.concat([little.head(2), little.uint(HUGE)]), DAMAGED],
  'a polygon of a great many rings': [Buffer.concat([little.head(3), little.uint(HUGE)]), DAMAGED],
  'lines of a great number': [Buffer.concat([big.head(5), big.uint(HUGE), Buffer.alloc(64)]), DAMAGED],
  'polygons of a great number': [Buffer.concat([big.head(6), big.uint(0xffff_ffff), Buffer.alloc(64)]), DAMAGED],
  'a header without a count': [little.head(3), DAMAGED],
}

/** Faults that can be found from the parts alone. */
const BROKEN: Readonly<Record<string, Buffer>> = {
  'a polygon that ends too early': little.polygon([RING, RING]).subarray(0, -1),
  'a polygon that ends before a ring': little.polygon([RING, RING]).subarray(0, 9 + 4 + 64),
  'a polygon followed by other bytes': Buffer.concat([little.polygon([RING, RING]), Buffer.of(0)]),
  'a ring of a great many points': Buffer.concat([little.head(3), little.uint(1), little.uint(HUGE), Buffer.alloc(64)]),
  'a second ring of a great many points': Buffer.concat([
    little.polygon([RING]).fill(2, 5, 6),
    little.uint(0xffff_ffff),
  ]),
  'a line of lines that ends too early': little.of(5, [little.line(RING), little.line(RING)]).subarray(0, -8),
  'a line of lines that is a polygon': little.of(5, [little.line(RING), little.polygon([RING])]),
  'a line of lines in a third order of bytes': little.of(5, [
    Buffer.concat([Buffer.of(3), little.line(RING).subarray(1)]),
  ]),
  'a line of lines with Z': little.of(5, [little.line(DEEP, 1002)]),
  'lines followed by other bytes': Buffer.concat([big.of(5, [big.line(RING)]), Buffer.alloc(9)]),
  'a polygon of polygons that ends too early': big.of(6, [big.polygon([RING]), little.polygon([RING])]).subarray(0, -3),
  'a polygon of polygons that is a line': little.of(6, [little.line(RING)]),
  'a polygon of polygons of a great many rings': little.of(6, [
    Buffer.concat([little.head(3), little.uint(HUGE), Buffer.alloc(64)]),
    little.polygon([RING]),
  ]),
  'polygons followed by other bytes': Buffer.concat([little.of(6, [little.polygon([RING])]), Buffer.of(1)]),
}

const hexOf = (bytes: Buffer): string => bytes.toString('hex').toUpperCase()
const GOOD = [little.point([1, 2]), little.polygon([RING, RING]), big.of(6, [big.polygon([RING])])]

describe('a geometry that the engine cannot represent', () => {
  test.each(['Geometry', 'String', 'Nullable(String)', 'Polygon'])(
    'is quarantined with its bytes in hex, in a column of %s',
    async type => {
      const foreign = Object.values(FOREIGN)
      await parquet.dataSource(parquet.name, { id: 'Int32', g: type })
      const good = type === 'Polygon' ? [GOOD[1]!] : GOOD
      const job = await parquet.load(await ofBytes([...foreign.map(([bytes]) => bytes), ...good]))
      expect(job).toMatchObject({
        status: 'completed',
        statistics: { rows_written: good.length, quarantine_rows: foreign.length },
      })
      const rows = await quarantined()
      expect(Object.keys(FOREIGN).map((what, index) => ({ what, ...rows[index] }))).toEqual(
        Object.entries(FOREIGN).map(([what, [bytes, why]], id) => ({
          what,
          id: `${id}`,
          g: hexOf(bytes),
          wrong: 'g',
          why,
          complaints: '1',
        })),
      )
    },
  )

  test.each(['Geometry', 'Nullable(String)', 'MultiPolygon'])(
    'with damaged parts is quarantined, in a column of %s',
    async type => {
      await parquet.dataSource(parquet.name, { id: 'Int32', g: type })
      const good = type === 'MultiPolygon' ? [GOOD[2]!] : GOOD
      const broken = Object.values(BROKEN)
      const job = await parquet.load(await ofBytes([...good, ...broken]))
      expect(job).toMatchObject({
        status: 'completed',
        statistics: { rows_written: good.length, quarantine_rows: broken.length },
      })
      const rows = await quarantined()
      expect(Object.keys(BROKEN).map((what, index) => ({ what, ...rows[index] }))).toMatchObject(
        Object.entries(BROKEN).map(([what, bytes]) => ({ what, g: hexOf(bytes), why: DAMAGED, complaints: '1' })),
      )
    },
  )

  // They do not end the import early, unlike those that are too short.
  test.each(['a polygon followed by other bytes', 'lines followed by other bytes', 'polygons followed by other bytes'])(
    'is quarantined whatever else is in the file: %s',
    async what => {
      await parquet.dataSource(parquet.name, { id: 'Int32', g: 'Geometry' })
      expect(await parquet.load(await ofBytes([...GOOD, BROKEN[what]!]))).toMatchObject({
        status: 'completed',
        statistics: { rows_written: 3, quarantine_rows: 1 },
      })
      expect(await quarantined()).toMatchObject([{ id: '3', why: DAMAGED }])
    },
  )

  test('is shown as its bytes among the inferred first rows', async () => {
    const bytes = [
      ...Object.values(FOREIGN)
        .map(([bytes]) => bytes)
        .slice(-5),
      ...Object.values(BROKEN).slice(0, 4),
    ]
    const url = parquet.give('/foreign.parquet', await ofBytes([GOOD[0]!, ...bytes]))
    const { status, body } = await parquet.call('POST', '/v1/datasources/infer', { url })
    expect(status, JSON.stringify(body)).toBe(200)
    expect(body.rows.map((row: { g: unknown }) => row.g)).toEqual([[1, 2], ...bytes.map(hexOf)])
  })

  test('of another type than the file declares is quarantined', async () => {
    await parquet.dataSource(parquet.name, { id: 'Int32', g: 'Point' })
    expect(await parquet.load(await ofBytes([GOOD[0]!, GOOD[1]!], ['Point']))).toMatchObject({
      statistics: { rows_written: 1, quarantine_rows: 1 },
    })
    expect(await quarantined()).toMatchObject([
      { id: '1', g: '[[[0,0],[0,1],[1,1],[0,0]],[[0,0],[0,1],[1,1],[0,0]]]', why: 'g is not a valid Point' },
    ])
  })
})

/** Bytes of geometries with one or more of them changed, missing or added; the same in each run. */
const mutated = (count: number): readonly Buffer[] => {
  let seed = 7
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return (seed >> 8) % below
  }
  const [line, polygon] = [[RING], [RING, RING, RING]] as const
  const whole = [little, big].flatMap(own => [
    own.point([1, 2]),
    own.line(RING),
    own.polygon(polygon),
    own.of(5, [little.line(RING), big.line(line[0])]),
    own.of(6, [little.polygon(polygon), big.polygon(line), own.polygon(polygon)]),
  ])
  const small = [0, 1, 2, 3, 4, 5, 6, 7, 0x20, 0x80, 0xff]
  return Array.from({ length: count }, () => {
    const bytes = Buffer.from(whole[random(whole.length)]!)
    for (let left = random(3); left > 0; left -= 1)
      bytes[random(random(2) === 0 ? Math.min(18, bytes.length) : bytes.length)] = small[random(small.length)]!
    const end = random(6)
    if (end === 0) return bytes.subarray(0, random(bytes.length))
    return end === 1 ? Buffer.concat([bytes, Buffer.alloc(random(20), random(256))]) : bytes
  })
}

test.each(['Geometry', 'String'])(
  '%s accepts exactly those of thousands of mutated geometries that a reader of the standard accepts',
  async type => {
    const all = mutated(3000)
    const good = all.flatMap((bytes, id) => (readWkb(bytes) === null ? [] : [id]))
    await parquet.dataSource(parquet.name, { id: 'Int32', g: type })
    expect(await parquet.load(await ofBytes(all))).toMatchObject({
      status: 'completed',
      statistics: { rows_written: good.length, quarantine_rows: all.length - good.length },
    })
    const rows = await parquet.rows<{ id: number; g: string }>(
      `SELECT id, toString(g) AS g FROM ${parquet.name} ORDER BY id`,
    )
    // JSON has neither NaN nor a negative zero.
    const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
    const listed = ({ g }: { g: string }) =>
      JSON.parse(g.replace(/-?(nan|inf)/g, 'null').replace(/[()]/g, at => (at === '(' ? '[' : ']')))
    expect(rows.map(row => [Number(row.id), plain(listed(row))])).toEqual(
      good.map(id => [id, plain(readWkb(all[id]!))]),
    )
  },
)

describe('a geometry of several MiB', () => {
  /** Each geometry is `start` followed by `part` repeated, expanded by DuckDB. */
  const file = (values: readonly (readonly [start: Buffer, part: Buffer, count: number])[]): Promise<Buffer> => {
    const rows = values.map(([start, part, count], id) => {
      const hex = `'${start.toString('hex')}' || repeat('${part.toString('hex')}', ${count})`
      return `SELECT ${id} AS id, unhex(${hex}) AS g`
    })
    return parquet.fromDuckdb(rows.join(' UNION ALL '), geoMetadata([]))
  }
  const several = (count: number) =>
    [Buffer.concat([little.head(6), little.uint(count)]), little.polygon([RING]), count] as const
  const damaged = [
    Buffer.concat([little.head(6), little.uint(1), little.head(3), little.uint(2)]),
    Buffer.alloc(0),
    0,
  ] as const

  test('is read with more points than the engine’s own reader accepts', async () => {
    await parquet.dataSource(parquet.name, { id: 'Int32', g: 'Geometry' })
    const points = 1_000_001
    const line = [Buffer.concat([little.head(2), little.uint(points)]), Buffer.alloc(16), points] as const
    expect(await parquet.load(await file([line, several(100_000)]))).toMatchObject({ statistics: { rows_written: 2 } })
    expect(await parquet.value(`SELECT sum(length(toString(g)) > 2000000) FROM ${parquet.name}`)).toBe('2')
  })

  test('is not confused with a damaged one after it, which is quarantined', async () => {
    await parquet.dataSource(parquet.name, { id: 'Int32', g: 'MultiPolygon' })
    expect(await parquet.load(await file([several(100_000), damaged]))).toMatchObject({
      statistics: { rows_written: 1, quarantine_rows: 1 },
    })
  })

  test('with one of a hundred thousand parts missing is quarantined, and another beside it is not', async () => {
    await parquet.dataSource(parquet.name, { id: 'Int32', g: 'Geometry' })
    const [start, part] = several(100_000)
    expect(await parquet.load(await file([[start, part, 99_999], several(10)]))).toMatchObject({
      statistics: { rows_written: 1, quarantine_rows: 1 },
    })
    expect(await parquet.value(`SELECT c__error[1] FROM ${parquet.name}_quarantine`)).toBe(DAMAGED)
  })

  test('costs a file of them no more time than reading it if one is damaged', async () => {
    const rings = 1800
    const ring = Buffer.concat([little.uint(20), Buffer.alloc(320, 0x3f)])
    const shape = (id: number, count: number) =>
      `SELECT ${id} AS id, unhex('${Buffer.concat([little.head(3), little.uint(rings)]).toString('hex')}' || repeat('${ring.toString('hex')}', ${count})) AS g`
    const rows = [shape(0, rings - 1), `SELECT i, g FROM (${shape(1, rings)}) AS one, range(1, 100) AS more(i)`]
    const content = await parquet.fromDuckdb(rows.join(' UNION ALL '), geoMetadata([]))
    await parquet.dataSource(parquet.name, { id: 'Int32', g: 'Polygon' })
    const { status, statistics } = await parquet.load(content)
    expect([status, statistics.rows_written, statistics.quarantine_rows]).toEqual(['completed', 99, 1])
    // It took 40 s when the engine went from part to part.
    expect(statistics.elapsed_ms).toBeLessThan(15_000)
  })
})
