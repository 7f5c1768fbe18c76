import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ImportScene, openImportScene, WORKSPACE } from './scene.ts'
import { readWkb, wkb } from './wkb.ts'

let scene: ImportScene
let folder: string
let name: string
let count = 0

beforeAll(async () => {
  scene = await openImportScene()
  folder = await mkdtemp(join(tmpdir(), 'millrace-geoparquet-'))
})
afterAll(async () => {
  await scene?.stop()
  await rm(folder, { recursive: true })
})

beforeEach(() => {
  name = `geo_${++count}`
})

const load = (content: Uint8Array, fields: Record<string, unknown> = {}) =>
  scene.import({ datasource: name, url: scene.give(`/${name}.parquet`, content), ...fields })

const copy = async (select: string, options = ''): Promise<Buffer> => {
  const path = join(folder, `${name}.parquet`)
  const connection = await (await DuckDBInstance.create()).connect()
  await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet${options})`)
  connection.closeSync()
  return readFile(path)
}

/** As DuckDB writes GeoParquet: its type of geometries is what they are. */
const written = (geometries: readonly (string | null)[], more = ''): Promise<Buffer> =>
  copy(
    geometries
      .map((wkt, id) => `SELECT ${id} AS id, ${wkt === null ? 'NULL' : `'${wkt}'`}::GEOMETRY AS g${more}`)
      .join(' UNION ALL '),
  )

const metadata = (types: readonly string[]): string => {
  const columns = { g: { encoding: 'WKB', geometry_types: types } }
  return `, KV_METADATA {geo: '${JSON.stringify({ version: '1.1.0', primary_column: 'g', columns })}'}`
}

/** GeoParquet with these bytes, which may be no geometries, and these types in its metadata. */
const ofBytes = (values: readonly (Uint8Array | null)[], types: readonly string[] = []): Promise<Buffer> => {
  const hex = (value: Uint8Array | null) => (value === null ? 'NULL' : `unhex('${Buffer.from(value).toString('hex')}')`)
  const rows = values.map((value, id) => `(${id}, ${hex(value)}::BLOB)`)
  return copy(`SELECT * FROM (VALUES ${rows.join(', ')}) AS rows(id, g)`, metadata(types))
}

const quarantined = (): Promise<readonly Record<string, unknown>[]> =>
  scene.rows(
    `SELECT id, g, c__error_column[1] AS wrong, c__error[1] AS why, length(c__error) AS complaints FROM ${name}_quarantine ORDER BY id::UInt32`,
  )

const SQUARE = 'POLYGON((0 0,0 1,1 1,0 0),(0.1 0.1,0.1 0.2,0.2 0.2,0.1 0.1))'
const ALL = [
  'POINT(13.404954 52.520008)',
  'LINESTRING(0 0,1 1.5)',
  SQUARE,
  'MULTILINESTRING((0 0,1 1),(2 2,3 3,4 4))',
  'MULTIPOLYGON(((0 0,0 1,1 1,0 0)),((5 5,5 6,6 6,5 5),(5.1 5.1,5.1 5.2,5.2 5.2,5.1 5.1)))',
  null,
]
const LISTS = [
  '[13.404954,52.520008]',
  '[[0,0],[1,1.5]]',
  '[[[0,0],[0,1],[1,1],[0,0]],[[0.1,0.1],[0.1,0.2],[0.2,0.2],[0.1,0.1]]]',
  '[[[0,0],[1,1]],[[2,2],[3,3],[4,4]]]',
  '[[[[0,0],[0,1],[1,1],[0,0]]],[[[5,5],[5,6],[6,6],[5,5]],[[5.1,5.1],[5.1,5.2],[5.2,5.2],[5.1,5.1]]]]',
]
/** Which of them a column of this type takes. */
const TAKEN: Readonly<Record<string, readonly number[]>> = {
  Point: [0],
  'Tuple(Float64, Float64)': [0],
  LineString: [1],
  Ring: [1],
  Polygon: [2, 3],
  MultiLineString: [2, 3],
  MultiPolygon: [4],
  Geometry: [0, 1, 2, 3, 4],
}

describe('geometries of several types in one column', () => {
  test.each(Object.keys(TAKEN))(
    'go into %s where they are of it, the others and NULL to the quarantine',
    async type => {
      await scene.dataSource(name, { id: 'Int32', g: type })
      const taken = TAKEN[type]!
      expect(await load(await written(ALL))).toMatchObject({
        status: 'completed',
        statistics: { rows_read: 6, rows_written: taken.length, quarantine_rows: 6 - taken.length },
      })
      expect(await scene.table(name, 'id')).toEqual(taken.map(id => [`${id}`, LISTS[id]]))
      const others = [0, 1, 2, 3, 4].filter(id => !taken.includes(id))
      expect(await quarantined()).toEqual([
        ...others.map(id => ({
          id: `${id}`,
          // A point is in parentheses there.
          g: expect.stringMatching(/^[[(]/),
          wrong: 'g',
          why: `g is no ${type}`,
          complaints: '1',
        })),
        { id: '5', g: null, wrong: 'g', why: 'it is missing', complaints: '1' },
      ])
    },
  )

  test('are texts in a column of text, where NULL is no text', async () => {
    const texts = LISTS.map(list => list.replace(/\[([0-9.]+,[0-9.]+)\]/g, '($1)'))
    await scene.dataSource(name, { id: 'Int32', g: 'String' })
    expect(await load(await written(ALL))).toMatchObject({ statistics: { rows_written: 5, quarantine_rows: 1 } })
    expect(await scene.table(name, 'id')).toEqual(texts.map((text, id) => [`${id}`, text]))
    expect(await quarantined()).toMatchObject([{ id: '5', g: null, why: 'it is missing' }])
    name = `${name}_nullable`
    await scene.dataSource(name, { id: 'Int32', g: 'Nullable(String)' })
    expect(await load(await written(ALL))).toMatchObject({ statistics: { rows_written: 6, quarantine_rows: 0 } })
    expect((await scene.table(name, 'id'))[5]).toEqual(['5', null])
  })

  test('make a data source with a column of Geometry, and are told with its first rows', async () => {
    const file = await written([...ALL, 'POINT Z(1 2 3)'])
    const { status, body } = await scene.call('POST', '/v1/datasources/infer', {
      url: scene.give('/all.parquet', file),
    })
    expect(status, JSON.stringify(body)).toBe(200)
    expect(body.schema[1]).toMatchObject({ name: 'g', type: 'Geometry' })
    expect(body.rows.map((row: { g: unknown }) => row.g)).toEqual([
      ...LISTS.map(list => JSON.parse(list)),
      null,
      wkb('little').point([1, 2, 3], 1001).toString('hex').toUpperCase(),
    ])
    expect(await load(file, { create: true })).toMatchObject({ statistics: { rows_written: 5, quarantine_rows: 2 } })
    expect(await scene.table(name, 'id')).toEqual(LISTS.map((list, id) => [`${id}`, list]))
  })
})

test.each(['Point', 'LineString', 'Polygon', 'MultiLineString', 'MultiPolygon'])(
  'a file of %s makes a data source of it, in which NULL is no value',
  async type => {
    const at = ['Point', 'LineString', 'Polygon', 'MultiLineString', 'MultiPolygon'].indexOf(type)
    const file = await written([ALL[at]!, null, ALL[at]!])
    const { body } = await scene.call('POST', '/v1/datasources/infer', { url: scene.give('/one.parquet', file) })
    expect(body.schema[1]).toMatchObject({ type })
    expect(body.rows.map((row: { g: unknown }) => row.g)).toEqual([
      JSON.parse(LISTS[at]!),
      null,
      JSON.parse(LISTS[at]!),
    ])
    expect(await load(file, { create: true })).toMatchObject({ statistics: { rows_written: 2, quarantine_rows: 1 } })
    expect(await scene.table(name, 'id')).toEqual([
      ['0', LISTS[at]],
      ['2', LISTS[at]],
    ])
    expect(await quarantined()).toMatchObject([{ id: '1', g: null, wrong: 'g', why: 'it is missing' }])
    for (const [other, value] of [
      ['Geometry', LISTS[at]],
      ['String', LISTS[at]],
    ]) {
      name = `geo_${++count}`
      await scene.dataSource(name, { id: 'Int32', g: other! })
      expect(await load(file)).toMatchObject({ statistics: { rows_written: 2, quarantine_rows: 1 } })
      expect((await scene.table(name, 'id'))[0]).toEqual(['0', value])
    }
  },
)

test('geometries are the same in either order of bytes, and in both in one', async () => {
  const [little, big] = [wkb('little'), wkb('big')]
  const ring = [
    [0, 0],
    [0, 1],
    [1, 1],
    [0, 0],
  ]
  const each = [little, big].flatMap((own, index) => {
    const other = [big, little][index]!
    return [
      own.point([1.5, -2]),
      own.line(ring),
      own.polygon([ring, ring]),
      own.of(5, [own.line(ring), other.line(ring)]),
      own.of(6, [other.polygon([ring]), own.polygon([ring, ring])]),
      own.line([]),
      own.polygon([]),
      own.of(5, []),
      own.of(6, [other.polygon([])]),
      own.polygon([[], ring]),
    ]
  })
  await scene.dataSource(name, { id: 'Int32', g: 'Geometry' })
  expect(await load(await ofBytes(each))).toMatchObject({ statistics: { rows_written: 20, quarantine_rows: 0 } })
  const values = await scene.rows<{ v: string }>(`SELECT toString(g) AS v FROM ${name} ORDER BY id`)
  const text = '[(0,0),(0,1),(1,1),(0,0)]'
  const expected = [
    '(1.5,-2)',
    text,
    `[${text},${text}]`,
    `[${text},${text}]`,
    `[[${text}],[${text},${text}]]`,
    '[]',
    // The engine has no polygon without a ring.
    '[[]]',
    '[]',
    '[[[]]]',
    `[[],${text}]`,
  ]
  expect(values.map(({ v }) => v)).toEqual([...expected, ...expected])
})

const [little, big] = [wkb('little'), wkb('big')]
const RING = [
  [0, 0],
  [0, 1],
  [1, 1],
  [0, 0],
]
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

/** What the engine has no value for, and what is told of it. */
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
  'a point with something behind it': [Buffer.concat([little.point([1, 2]), Buffer.of(0)]), DAMAGED],
  'a line that ends too early': [little.line(RING).subarray(0, -1), DAMAGED],
  'a line with something behind it': [Buffer.concat([big.line(RING), Buffer.alloc(16)]), DAMAGED],
  'a line of a great many points': [Buffer.concat([little.head(2), little.uint(HUGE)]), DAMAGED],
  'a polygon of a great many rings': [Buffer.concat([little.head(3), little.uint(HUGE)]), DAMAGED],
  'lines of a great number': [Buffer.concat([big.head(5), big.uint(HUGE), Buffer.alloc(64)]), DAMAGED],
  'polygons of a great number': [Buffer.concat([big.head(6), big.uint(0xffff_ffff), Buffer.alloc(64)]), DAMAGED],
  'a header without a count': [little.head(3), DAMAGED],
}

/** What is found out of parts alone. */
const BROKEN: Readonly<Record<string, Buffer>> = {
  'a polygon that ends too early': little.polygon([RING, RING]).subarray(0, -1),
  'a polygon that ends before a ring': little.polygon([RING, RING]).subarray(0, 9 + 4 + 64),
  'a polygon with something behind it': Buffer.concat([little.polygon([RING, RING]), Buffer.of(0)]),
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
  'lines with something behind them': Buffer.concat([big.of(5, [big.line(RING)]), Buffer.alloc(9)]),
  'a polygon of polygons that ends too early': big.of(6, [big.polygon([RING]), little.polygon([RING])]).subarray(0, -3),
  'a polygon of polygons that is a line': little.of(6, [little.line(RING)]),
  'a polygon of polygons of a great many rings': little.of(6, [
    Buffer.concat([little.head(3), little.uint(HUGE), Buffer.alloc(64)]),
    little.polygon([RING]),
  ]),
  'polygons with something behind them': Buffer.concat([little.of(6, [little.polygon([RING])]), Buffer.of(1)]),
}

const hexOf = (bytes: Buffer): string => bytes.toString('hex').toUpperCase()
const GOOD = [little.point([1, 2]), little.polygon([RING, RING]), big.of(6, [big.polygon([RING])])]

describe('a geometry that the engine has no value for', () => {
  test.each(['Geometry', 'String', 'Nullable(String)', 'Polygon'])(
    'goes to the quarantine with its bytes in hex, before a column of %s',
    async type => {
      const foreign = Object.values(FOREIGN)
      await scene.dataSource(name, { id: 'Int32', g: type })
      const good = type === 'Polygon' ? [GOOD[1]!] : GOOD
      const job = await load(await ofBytes([...foreign.map(([bytes]) => bytes), ...good]))
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
    'goes there also when its parts are damaged, before a column of %s',
    async type => {
      await scene.dataSource(name, { id: 'Int32', g: type })
      const good = type === 'MultiPolygon' ? [GOOD[2]!] : GOOD
      const broken = Object.values(BROKEN)
      const job = await load(await ofBytes([...good, ...broken]))
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

  // They end no load, as those that end too early do.
  test.each([
    'a polygon with something behind it',
    'lines with something behind them',
    'polygons with something behind them',
  ])('does so whatever else is in the file: %s', async what => {
    await scene.dataSource(name, { id: 'Int32', g: 'Geometry' })
    expect(await load(await ofBytes([...GOOD, BROKEN[what]!]))).toMatchObject({
      status: 'completed',
      statistics: { rows_written: 3, quarantine_rows: 1 },
    })
    expect(await quarantined()).toMatchObject([{ id: '3', why: DAMAGED }])
  })

  test('is told as its bytes among the first rows', async () => {
    const bytes = [
      ...Object.values(FOREIGN)
        .map(([bytes]) => bytes)
        .slice(-5),
      ...Object.values(BROKEN).slice(0, 4),
    ]
    const url = scene.give('/foreign.parquet', await ofBytes([GOOD[0]!, ...bytes]))
    const { status, body } = await scene.call('POST', '/v1/datasources/infer', { url })
    expect(status, JSON.stringify(body)).toBe(200)
    expect(body.rows.map((row: { g: unknown }) => row.g)).toEqual([[1, 2], ...bytes.map(hexOf)])
  })

  test('is one of another type than the file says', async () => {
    await scene.dataSource(name, { id: 'Int32', g: 'Point' })
    expect(await load(await ofBytes([GOOD[0]!, GOOD[1]!], ['Point']))).toMatchObject({
      statistics: { rows_written: 1, quarantine_rows: 1 },
    })
    expect(await quarantined()).toMatchObject([
      { id: '1', g: '[[[0,0],[0,1],[1,1],[0,0]],[[0,0],[0,1],[1,1],[0,0]]]', why: 'g is no Point' },
    ])
  })
})

test('a geometry beside others, dates that the engine has not and values that do not fit is judged by itself', async () => {
  const far = ", CASE WHEN id = 1 THEN DATE '1850-01-01' ELSE DATE '2020-01-01' END AS day"
  const file = await copy(`SELECT *${far}, CASE WHEN id = 2 THEN 300 ELSE 3 END AS small FROM (
    SELECT id::INT AS id, 'POINT(1 2)'::GEOMETRY AS part, CASE WHEN id = 3 THEN NULL ELSE '${SQUARE}' END::GEOMETRY AS g
    FROM range(5) AS rows(id))`)
  const columns = { id: 'Int32', part: 'Point', g: 'Polygon', day: 'Date32', small: 'Int8' }
  const url = scene.give(`/${name}.parquet`, file)
  expect(await scene.import({ datasource: name, url, create: true })).toMatchObject({ statistics: { rows_written: 3 } })
  name = `${name}_small`
  await scene.dataSource(name, columns)
  expect(await load(file)).toMatchObject({ statistics: { rows_written: 2, quarantine_rows: 3 } })
  expect(await quarantined()).toMatchObject([
    { id: '1', wrong: 'day' },
    { id: '2', wrong: 'small', g: LISTS[2] },
    { id: '3', wrong: 'g', g: null },
  ])
})

test('a column of geometries that the file lacks fails the import, as any other does', async () => {
  await scene.dataSource(name, { id: 'Int32', g: 'Geometry', h: 'Point' })
  expect(await load(await written([ALL[0]!]))).toMatchObject({
    status: 'failed',
    error: { code: 'schema_mismatch', message: expect.stringMatching(/: h\.$/) },
  })
})

test('geometries as the engine writes them are read again', async () => {
  const path = join(scene.warehouse.importFolder(WORKSPACE)!, `${name}.parquet`)
  const types = { p: 'Point', l: 'LineString', a: 'Polygon', m: 'MultiLineString', n: 'MultiPolygon', r: 'Ring' }
  const values = `SELECT (1.5, 2)::Point AS p, [(0, 0), (1, 1)]::LineString AS l, [[(0, 0), (0, 1), (1, 1)], [(0, 0)]]::Polygon AS a,
    [[(0, 0), (1, 1)], [(2, 2), (3, 3)]]::MultiLineString AS m, [[[(0, 0), (1, 1)]], [[(2, 2)], []]]::MultiPolygon AS n, [(0, 0), (0, 1)]::Ring AS r`
  await scene.warehouse.command({
    workspace: WORKSPACE,
    sql: `INSERT INTO FUNCTION file('${path}', 'Parquet') ${values}`,
  })
  await scene.dataSource(name, types)
  expect(await load(await readFile(path))).toMatchObject({ statistics: { rows_written: 1, quarantine_rows: 0 } })
  expect(await scene.table(name)).toEqual([
    [
      '[1.5,2]',
      '[[0,0],[1,1]]',
      '[[[0,0],[0,1],[1,1]],[[0,0]]]',
      '[[[0,0],[1,1]],[[2,2],[3,3]]]',
      '[[[[0,0],[1,1]]],[[[2,2]],[]]]',
      '[[0,0],[0,1]]',
    ],
  ])
})

/** Bytes of geometries, of which one or more are others, or missing, or too many; the same at each run. */
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
  'into %s go just the geometries that a reader of the standard finds among thousands of mutated ones',
  async type => {
    const all = mutated(3000)
    const good = all.flatMap((bytes, id) => (readWkb(bytes) === null ? [] : [id]))
    await scene.dataSource(name, { id: 'Int32', g: type })
    expect(await load(await ofBytes(all))).toMatchObject({
      status: 'completed',
      statistics: { rows_written: good.length, quarantine_rows: all.length - good.length },
    })
    const rows = await scene.rows<{ id: number; g: string }>(`SELECT id, toString(g) AS g FROM ${name} ORDER BY id`)
    // JSON has no numbers that are none, and no zero below another.
    const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
    const listed = ({ g }: { g: string }) =>
      JSON.parse(g.replace(/-?(nan|inf)/g, 'null').replace(/[()]/g, at => (at === '(' ? '[' : ']')))
    expect(rows.map(row => [Number(row.id), plain(listed(row))])).toEqual(
      good.map(id => [id, plain(readWkb(all[id]!))]),
    )
  },
)

describe('a geometry of many MiB', () => {
  /** Zeros and what is repeated in them, as DuckDB makes them out of what is told. */
  const file = (values: readonly (readonly [start: Buffer, part: Buffer, count: number])[]): Promise<Buffer> => {
    const rows = values.map(([start, part, count], id) => {
      const hex = `'${start.toString('hex')}' || repeat('${part.toString('hex')}', ${count})`
      return `SELECT ${id} AS id, unhex(${hex}) AS g`
    })
    return copy(rows.join(' UNION ALL '), metadata([]))
  }
  const several = (count: number) =>
    [Buffer.concat([little.head(6), little.uint(count)]), little.polygon([RING]), count] as const
  const damaged = [
    Buffer.concat([little.head(6), little.uint(1), little.head(3), little.uint(2)]),
    Buffer.alloc(0),
    0,
  ] as const

  test('is read, with more points than a reader of the engine takes by itself', async () => {
    await scene.dataSource(name, { id: 'Int32', g: 'Geometry' })
    const points = 1_000_001
    const line = [Buffer.concat([little.head(2), little.uint(points)]), Buffer.alloc(16), points] as const
    expect(await load(await file([line, several(100_000)]))).toMatchObject({ statistics: { rows_written: 2 } })
    expect(await scene.value(`SELECT sum(length(toString(g)) > 2000000) FROM ${name}`)).toBe('2')
  })

  test('does not take one that is damaged for itself, nor stops at it', async () => {
    await scene.dataSource(name, { id: 'Int32', g: 'MultiPolygon' })
    expect(await load(await file([several(100_000), damaged]))).toMatchObject({
      statistics: { rows_written: 1, quarantine_rows: 1 },
    })
  })

  test('with more parts than are looked at fails the import when one is damaged, and the engine lives', async () => {
    await scene.dataSource(name, { id: 'Int32', g: 'Geometry' })
    const [start, part] = several(100_000)
    expect(await load(await file([[start, part, 99_999]]))).toMatchObject({
      status: 'failed',
      system_attempts: 0,
      error: { code: 'content_unreadable' },
    })
    expect(await load(await written([ALL[0]!]))).toMatchObject({ statistics: { rows_written: 1 } })
  })
})
