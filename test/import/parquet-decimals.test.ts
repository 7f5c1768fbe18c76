import { describe, expect, test } from 'vitest'
import { INT64, int64, parquetOf } from './parquet-footer.ts'
import { useParquet } from './parquet-scene.ts'

const parquet = useParquet()

/** Of `Type` and `ConvertedType`. */
const [FIXED, DECIMAL] = [7, 5]

/** An integer in two's complement, big-endian. */
const bigEndian = (value: bigint, bytes: number): Buffer =>
  Buffer.from(
    BigInt.asUintN(bytes * 8, value)
      .toString(16)
      .padStart(bytes * 2, '0'),
    'hex',
  )

/** A file of decimals with two fractional digits. */
const decimals = (values: readonly bigint[], precision: number, bytes: number | 'int64'): Buffer => {
  const common = { rows: BigInt(values.length), name: 'v', convertedType: DECIMAL, scale: 2, precision }
  if (bytes === 'int64') return parquetOf({ ...common, type: INT64, values: values.map(int64) })
  return parquetOf({ ...common, type: FIXED, length: bytes, values: values.map(value => bigEndian(value, bytes)) })
}

describe('Parquet decimals with more bytes than their precision needs', () => {
  const WIDTHS = [1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 24, 32, 'int64'] as const

  test.each(WIDTHS)('have the values of the file in every precision, in bytes: %s', async bytes => {
    const values = [125n, -125n, 0n, -1n, 100n]
    const texts = ['1.25', '-1.25', '0', '-0.01', '1']
    const wide = bytes === 1 ? values : [...values, 999n]
    const expected = bytes === 1 ? texts : [...texts, '9.99']
    for (const precision of bytes === 'int64' ? [3, 9, 10, 18] : [3, 9, 10, 18, 19, 38]) {
      expect(await parquet.load(decimals(wide, precision, bytes), { create: true })).toMatchObject({
        statistics: { rows_written: wide.length, quarantine_rows: 0 },
      })
      const rows = await parquet.rows<{ v: string }>(`SELECT toString(v) AS v FROM ${parquet.name}`)
      expect.soft([precision, rows.map(({ v }) => v)]).toEqual([precision, expected])
      parquet.renew()
    }
  })

  test('fit a column by value, and are shown in the inferred first rows', async () => {
    const content = decimals([125n, 99_999n, 100_000n, -100_000n], 5, 'int64')
    const { body } = await parquet.call('POST', '/v1/datasources/infer', {
      url: parquet.give('/wide.parquet', content),
    })
    expect(body.schema[0].type).toBe('Decimal(18, 2)')
    expect(body.rows.map(({ v }: { v: unknown }) => String(v))).toEqual(['1.25', '999.99', '1000', '-1000'])
    for (const [type, stored] of [
      ['Decimal(5, 2)', ['1.25', '999.99']],
      ['Decimal(18, 2)', ['1.25', '999.99', '1000', '-1000']],
      ['String', ['1.25', '999.99', '1000', '-1000']],
    ] as const) {
      await parquet.dataSource(parquet.renew(), { v: type })
      expect(await parquet.load(content)).toMatchObject({
        statistics: { rows_written: stored.length, quarantine_rows: 4 - stored.length },
      })
      const rows = await parquet.rows<{ v: string }>(`SELECT toString(v) AS v FROM ${parquet.name}`)
      expect(rows.map(({ v }) => v)).toEqual(stored)
    }
  })
})

test('decimals written by DuckDB keep their precision, even in lists and structs', async () => {
  const all = [1, 4, 5, 9, 10, 18, 19, 37, 38].map(precision => ({
    name: `d${precision}`,
    type: `DECIMAL(${precision}, ${precision - 1})`,
    value: `${precision === 1 ? '-9' : `-9.${'8'.repeat(precision - 1)}`}`,
  }))
  const columns = all.map(({ name, type, value }) => `'${value}'::${type} AS ${name}`)
  const [first] = all
  const content = await parquet.fromDuckdb(
    `SELECT ${columns.join(', ')}, [${first!.value}::${first!.type}] AS list, {'d': '1.25'::DECIMAL(9, 2)} AS pair`,
  )
  expect(await parquet.load(content, { create: true })).toMatchObject({ statistics: { rows_written: 1 } })
  const types = await parquet.rows<{ type: string }>(
    `SELECT type FROM system.columns WHERE database = currentDatabase() AND table = '${parquet.name}' AND name LIKE 'd%' ORDER BY position`,
  )
  expect(types.map(({ type }) => type)).toEqual(
    all.map(({ type }) => `Nullable(${type.replace('DECIMAL', 'Decimal')})`),
  )
  const texts = all.map(({ name }) => `toString(${name})`).join(', ')
  expect(await parquet.value(`SELECT [${texts}] FROM ${parquet.name}`)).toBe(all.map(({ value }) => value).join(','))
})
