import { describe, expect, test } from 'vitest'
import { big, little, RING, useGeoparquet } from './use-geoparquet.ts'

const { parquet, written, ofBytes, quarantined } = useGeoparquet()

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
/** Which of them a column of this type accepts. */
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
    'are written to %s if they are of that type, the others and NULL are quarantined',
    async type => {
      await parquet.dataSource(parquet.name, { id: 'Int32', g: type })
      const taken = TAKEN[type]!
      expect(await parquet.load(await written(ALL))).toMatchObject({
        status: 'completed',
        statistics: { rows_read: 6, rows_written: taken.length, quarantine_rows: 6 - taken.length },
      })
      expect(await parquet.table(parquet.name, 'id')).toEqual(taken.map(id => [`${id}`, LISTS[id]]))
      const others = [0, 1, 2, 3, 4].filter(id => !taken.includes(id))
      expect(await quarantined()).toEqual([
        ...others.map(id => ({
          id: `${id}`,
          // A point is in parentheses there.
          g: expect.stringMatching(/^[[(]/),
          wrong: 'g',
          why: `g is not a valid ${type}`,
          complaints: '1',
        })),
        { id: '5', g: null, wrong: 'g', why: 'it is missing', complaints: '1' },
      ])
    },
  )

  test('are text in a String column, where NULL is not allowed', async () => {
    const texts = LISTS.map(list => list.replace(/\[([0-9.]+,[0-9.]+)\]/g, '($1)'))
    await parquet.dataSource(parquet.name, { id: 'Int32', g: 'String' })
    expect(await parquet.load(await written(ALL))).toMatchObject({
      statistics: { rows_written: 5, quarantine_rows: 1 },
    })
    expect(await parquet.table(parquet.name, 'id')).toEqual(texts.map((text, id) => [`${id}`, text]))
    expect(await quarantined()).toMatchObject([{ id: '5', g: null, why: 'it is missing' }])
    parquet.renew()
    await parquet.dataSource(parquet.name, { id: 'Int32', g: 'Nullable(String)' })
    expect(await parquet.load(await written(ALL))).toMatchObject({
      statistics: { rows_written: 6, quarantine_rows: 0 },
    })
    expect((await parquet.table(parquet.name, 'id'))[5]).toEqual(['5', null])
  })

  test('create a data source with a Geometry column, and are shown in the inferred first rows', async () => {
    const file = await written([...ALL, 'POINT Z(1 2 3)'])
    const { status, body } = await parquet.call('POST', '/v1/datasources/infer', {
      url: parquet.give('/all.parquet', file),
    })
    expect(status, JSON.stringify(body)).toBe(200)
    expect(body.schema[1]).toMatchObject({ name: 'g', type: 'Geometry' })
    expect(body.rows.map((row: { g: unknown }) => row.g)).toEqual([
      ...LISTS.map(list => JSON.parse(list)),
      null,
      little.point([1, 2, 3], 1001).toString('hex').toUpperCase(),
    ])
    expect(await parquet.load(file, { create: true })).toMatchObject({
      statistics: { rows_written: 5, quarantine_rows: 2 },
    })
    expect(await parquet.table(parquet.name, 'id')).toEqual(LISTS.map((list, id) => [`${id}`, list]))
  })
})

test.each(['Point', 'LineString', 'Polygon', 'MultiLineString', 'MultiPolygon'])(
  'a file of %s creates a data source of that type, in which NULL is invalid',
  async type => {
    const at = ['Point', 'LineString', 'Polygon', 'MultiLineString', 'MultiPolygon'].indexOf(type)
    const file = await written([ALL[at]!, null, ALL[at]!])
    const { body } = await parquet.call('POST', '/v1/datasources/infer', { url: parquet.give('/one.parquet', file) })
    expect(body.schema[1]).toMatchObject({ type })
    expect(body.rows.map((row: { g: unknown }) => row.g)).toEqual([
      JSON.parse(LISTS[at]!),
      null,
      JSON.parse(LISTS[at]!),
    ])
    expect(await parquet.load(file, { create: true })).toMatchObject({
      statistics: { rows_written: 2, quarantine_rows: 1 },
    })
    expect(await parquet.table(parquet.name, 'id')).toEqual([
      ['0', LISTS[at]],
      ['2', LISTS[at]],
    ])
    expect(await quarantined()).toMatchObject([{ id: '1', g: null, wrong: 'g', why: 'it is missing' }])
    for (const [other, value] of [
      ['Geometry', LISTS[at]],
      ['String', LISTS[at]],
    ]) {
      parquet.renew()
      await parquet.dataSource(parquet.name, { id: 'Int32', g: other! })
      expect(await parquet.load(file)).toMatchObject({ statistics: { rows_written: 2, quarantine_rows: 1 } })
      expect((await parquet.table(parquet.name, 'id'))[0]).toEqual(['0', value])
    }
  },
)

test('geometries are the same in either byte order, and with both in one', async () => {
  const each = [little, big].flatMap((own, index) => {
    const other = [big, little][index]!
    return [
      own.point([1.5, -2]),
      own.line(RING),
      own.polygon([RING, RING]),
      own.of(5, [own.line(RING), other.line(RING)]),
      own.of(6, [other.polygon([RING]), own.polygon([RING, RING])]),
      own.line([]),
      own.polygon([]),
      own.of(5, []),
      own.of(6, [other.polygon([])]),
      own.polygon([[], RING]),
    ]
  })
  await parquet.dataSource(parquet.name, { id: 'Int32', g: 'Geometry' })
  expect(await parquet.load(await ofBytes(each))).toMatchObject({
    statistics: { rows_written: 20, quarantine_rows: 0 },
  })
  const values = await parquet.rows<{ v: string }>(`SELECT toString(g) AS v FROM ${parquet.name} ORDER BY id`)
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

test('a geometry beside others, dates out of range and invalid values is judged by itself', async () => {
  const far = ", CASE WHEN id = 1 THEN DATE '1850-01-01' ELSE DATE '2020-01-01' END AS day"
  const file = await parquet.fromDuckdb(`SELECT *${far}, CASE WHEN id = 2 THEN 300 ELSE 3 END AS small FROM (
    SELECT id::INT AS id, 'POINT(1 2)'::GEOMETRY AS part, CASE WHEN id = 3 THEN NULL ELSE '${SQUARE}' END::GEOMETRY AS g
    FROM range(5) AS rows(id))`)
  const columns = { id: 'Int32', part: 'Point', g: 'Polygon', day: 'Date32', small: 'Int8' }
  const url = parquet.give(`/${parquet.name}.parquet`, file)
  expect(await parquet.import({ datasource: parquet.name, url, create: true })).toMatchObject({
    statistics: { rows_written: 3 },
  })
  parquet.renew()
  await parquet.dataSource(parquet.name, columns)
  expect(await parquet.load(file)).toMatchObject({ statistics: { rows_written: 2, quarantine_rows: 3 } })
  expect(await quarantined()).toMatchObject([
    { id: '1', wrong: 'day' },
    { id: '2', wrong: 'small', g: LISTS[2] },
    { id: '3', wrong: 'g', g: null },
  ])
})

test('a geometry column missing in the file fails the import like any other', async () => {
  await parquet.dataSource(parquet.name, { id: 'Int32', g: 'Geometry', h: 'Point' })
  expect(await parquet.load(await written([ALL[0]!]))).toMatchObject({
    status: 'failed',
    error: { code: 'schema_mismatch', message: expect.stringMatching(/: h\.$/) },
  })
})

test('geometries written by the engine can be read back', async () => {
  const types = { p: 'Point', l: 'LineString', a: 'Polygon', m: 'MultiLineString', n: 'MultiPolygon', r: 'Ring' }
  const values = `SELECT (1.5, 2)::Point AS p, [(0, 0), (1, 1)]::LineString AS l, [[(0, 0), (0, 1), (1, 1)], [(0, 0)]]::Polygon AS a,
    [[(0, 0), (1, 1)], [(2, 2), (3, 3)]]::MultiLineString AS m, [[[(0, 0), (1, 1)]], [[(2, 2)], []]]::MultiPolygon AS n, [(0, 0), (0, 1)]::Ring AS r`
  await parquet.dataSource(parquet.name, types)
  expect(await parquet.load(await parquet.fromEngine(values))).toMatchObject({
    statistics: { rows_written: 1, quarantine_rows: 0 },
  })
  expect(await parquet.table(parquet.name)).toEqual([
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

describe('the native geometry type of Parquet, without GeoParquet metadata,', () => {
  test.each(['NONE', 'V2', 'BOTH', 'V1'])('is read as a geometry: %s', async version => {
    const file = await written(ALL, `, GEOPARQUET_VERSION '${version}'`)
    const { body } = await parquet.call('POST', '/v1/datasources/infer', { url: parquet.give('/native.parquet', file) })
    expect(body.schema[1]).toMatchObject({ name: 'g', type: 'Geometry' })
    expect(body.rows.map((row: { g: unknown }) => row.g)).toEqual([...LISTS.map(list => JSON.parse(list)), null])
    expect(await parquet.load(file, { create: true })).toMatchObject({
      statistics: { rows_written: 5, quarantine_rows: 1 },
    })
    expect(await parquet.table(parquet.name, 'id')).toEqual(LISTS.map((list, id) => [`${id}`, list]))
  })

  test('is read in several columns, beside other metadata and over-wide decimals', async () => {
    const point = "'POINT(1 2)'::GEOMETRY"
    const file = await parquet.fromDuckdb(
      `SELECT i AS id, ${point} AS g, 'LINESTRING(0 0,1 1)'::GEOMETRY AS "other one", {'a': ${point}::VARCHAR} AS pair FROM range(3) AS rows(i)`,
      ", GEOPARQUET_VERSION 'NONE', KV_METADATA {own: 'pair', second: 'other'}, ROW_GROUP_SIZE 1",
    )
    await parquet.dataSource(parquet.name, { id: 'Int32', g: 'Point', 'other one': 'LineString', pair: 'String' })
    expect(await parquet.load(file)).toMatchObject({ statistics: { rows_written: 3, quarantine_rows: 0 } })
    const row = (id: number) => [`${id}`, '[1,2]', '[[0,0],[1,1]]', '{"a":"POINT (1 2)"}']
    expect(await parquet.table(parquet.name, 'id')).toEqual([0, 1, 2].map(row))
  })

  test('is read beside columns described by GeoParquet', async () => {
    const geo = {
      version: '1.0.0',
      primary_column: 'g',
      columns: { g: { encoding: 'WKB', geometry_types: ['Point'] } },
    }
    const file = await parquet.fromDuckdb(
      "SELECT 1 AS id, 'POINT(1 2)'::GEOMETRY AS g, 'LINESTRING(0 0,1 1)'::GEOMETRY AS h",
      `, GEOPARQUET_VERSION 'NONE', KV_METADATA {geo: '${JSON.stringify(geo)}', own: 'pair'}`,
    )
    const { body } = await parquet.call('POST', '/v1/datasources/infer', { url: parquet.give('/both.parquet', file) })
    expect(body.schema.map(({ type }: { type: string }) => type)).toEqual(['Nullable(Int32)', 'Point', 'Geometry'])
    expect(await parquet.load(file, { create: true })).toMatchObject({ statistics: { rows_written: 1 } })
    expect(await parquet.table(parquet.name, 'id')).toEqual([['1', '[1,2]', '[[0,0],[1,1]]']])
  })

  test('within a list fails the import with a readable reason', async () => {
    const file = await parquet.fromDuckdb("SELECT ['POINT(1 2)'::GEOMETRY] AS g", ", GEOPARQUET_VERSION 'NONE'")
    expect(await parquet.load(file, { create: true })).toMatchObject({
      status: 'failed',
      error: { code: 'content_unreadable', message: expect.stringMatching(/^The content cannot be read as Parquet: /) },
    })
  })
})
