import { beforeAll, describe, expect, test } from 'vitest'
import { INT64, int64, parquetOf, parquetOfDepth, parquetOfFooter, parquetThatClaims } from './parquet-footer.ts'
import { useParquet } from './parquet-scene.ts'

const parquet = useParquet()
let whole: Buffer

beforeAll(async () => {
  whole = await parquet.fromDuckdb(
    "SELECT i AS id, 'text ' || md5(i::VARCHAR) AS text FROM range(5000) AS rows(i)",
    ', COMPRESSION snappy, ROW_GROUP_SIZE 2048',
  )
  await parquet.dataSource('kept', { id: 'Int64', text: 'String' })
  expect(await load(whole)).toMatchObject({ statistics: { rows_written: 5000, quarantine_rows: 0 } })
})

const load = (content: Uint8Array) => parquet.load(content, { datasource: 'kept', mode: 'replace' })

const smashed = (at: number): Buffer => Buffer.from(whole).fill(0xff, at, at + 64)

const DAMAGED: Readonly<Record<string, () => Buffer>> = {
  'cut off within its first magic': () => whole.subarray(0, 3),
  'cut off behind its first magic': () => whole.subarray(0, 4),
  'cut off in the middle of a page': () => whole.subarray(0, whole.length >> 1),
  'cut off in its footer': () => whole.subarray(0, -100),
  'cut off in its last magic': () => whole.subarray(0, -1),
  'with another magic at its end': () => Buffer.concat([whole.subarray(0, -4), Buffer.from('PARX')]),
  'with a damaged footer': () => smashed(whole.length - 8 - 200),
  'with a damaged page in the first row group': () => smashed(40_000),
  'with a damaged page in the last row group': () =>
    smashed(whole.length - whole.readUInt32LE(whole.length - 8) - 20_000),
  'whose footer would be longer than it': () => {
    const file = Buffer.from(whole)
    file.writeUInt32LE(0x7fff_ffff, file.length - 8)
    return file
  },
}

describe('a Parquet file', () => {
  test.each(Object.keys(DAMAGED))('%s fails the import, and leaves the rows as they were', async what => {
    expect(await load(DAMAGED[what]!())).toMatchObject({
      status: 'failed',
      system_attempts: 0,
      error: {
        code: 'content_unreadable',
        message: expect.stringMatching(/^The content (cannot be read|is not Parquet)/),
      },
    })
    expect(await parquet.value('SELECT (count(), sum(id)) FROM kept')).toBe('5000,12497500')
  })

  test.each([2n ** 37n, 2n ** 60n])(
    'that claims %d rows is refused instead of running the engine out of memory',
    async rows => {
      const url = parquet.give('/claims.parquet', parquetThatClaims(rows))
      const claim = {
        status: 'failed',
        system_attempts: 0,
        error: { message: expect.stringMatching(/its footer claims \d+ rows/) },
      }
      expect(await parquet.import({ datasource: 'claims', url, create: true })).toMatchObject(claim)
      const { status, body } = await parquet.call('POST', '/v1/datasources/infer', { url })
      expect([status, body.detail]).toEqual([422, expect.stringMatching(/its footer claims \d+ rows/)])
    },
  )

  test('that claims too many values over several columns is refused, since the engine needs memory for each column', async () => {
    const values = [int64(1n), int64(2n)]
    const content = parquetOf({ type: INT64, values, rows: 2n ** 34n, name: 'v', columns: 5 })
    expect(
      await parquet.import({ datasource: 'wide', url: parquet.give('/wide.parquet', content), create: true }),
    ).toMatchObject({
      status: 'failed',
      system_attempts: 0,
      error: { message: expect.stringMatching(/its footer claims 17179869184 rows of 5 columns/) },
    })
  })

  test('nested too deeply for the engine is refused, and the engine keeps running', async () => {
    const url = parquet.give('/deep.parquet', parquetOfDepth(100_000))
    expect(await parquet.import({ datasource: 'deep', url, create: true })).toMatchObject({
      status: 'failed',
      attempt: 1,
      error: { code: 'content_unreadable', message: expect.stringMatching(/nested deeper/) },
    })
  })

  test('whose footer claims 2³⁰ row groups is refused, and the engine keeps running', async () => {
    const footer = Buffer.from([0x15, 2, 0x19, 0x0c, 0x29, 0xfc, 0x80, 0x80, 0x80, 0x80, 0x04, 0])
    const url = parquet.give('/groups.parquet', parquetOfFooter(footer))
    const refused = { code: 'content_unreadable', message: expect.stringMatching(/a list claims more items/) }
    expect(await parquet.import({ datasource: 'groups', url, create: true })).toMatchObject({ error: refused })
    const { status, body } = await parquet.call('POST', '/v1/datasources/infer', { url })
    expect([status, body.detail]).toEqual([422, refused.message])
    expect(await parquet.value('SELECT count() FROM kept')).toBe('5000')
  })

  test('whose footer claims the rows it has is read', async () => {
    const url = parquet.give('/honest.parquet', parquetThatClaims(2n))
    expect(await parquet.import({ datasource: 'honest', url, create: true })).toMatchObject({
      statistics: { rows_written: 2 },
    })
    expect(await parquet.table('honest')).toEqual([['1'], ['2']])
  })

  test('that claims more rows than it has fails', async () => {
    const url = parquet.give('/more.parquet', parquetThatClaims(3n))
    expect(await parquet.import({ datasource: 'more', url, create: true })).toMatchObject({
      error: { code: 'content_unreadable' },
    })
  })

  test('with a column name that is not UTF-8 is refused in words', async () => {
    const url = parquet.give('/name.parquet', parquetThatClaims(2n, Uint8Array.of(0xff, 0xfe)))
    expect(await parquet.import({ datasource: 'name', url, create: true })).toMatchObject({
      error: { message: 'The content cannot be read as Parquet: the name of a column is not UTF-8.' },
    })
  })

  test('with a wrong offset index is read without it', async () => {
    const file = await parquet.fromEngine('SELECT number AS id, [number, number * 10] AS list FROM numbers(20)')
    // An offset index of one page, with its first row: 0.
    const index = Buffer.of(0x16, 0, 0)
    const places = [file.indexOf(index), file.lastIndexOf(index)]
    expect(places[0]).toBeGreaterThan(0)
    expect(places[1]).toBeGreaterThan(places[0]!)
    await parquet.dataSource(parquet.name, { id: 'UInt64', list: 'Array(UInt64)' })
    for (const place of places) {
      const lying = Buffer.from(file)
      lying[place + 1] = 8
      expect(await parquet.load(lying, { mode: 'replace' })).toMatchObject({ statistics: { rows_written: 20 } })
      expect(await parquet.value(`SELECT countIf(list = [id, id * 10]) FROM ${parquet.name}`)).toBe('20')
    }
  })
})
