import { expect, test } from 'vitest'
import { useParquet } from './parquet-scene.ts'

const parquet = useParquet()

/** Values of a file's column, and column types that they are converted to without becoming texts. */
const CONVERSIONS = [
  {
    fileType: 'Int64',
    values: [
      '0',
      '-1',
      '127',
      '128',
      '255',
      '256',
      '-128',
      '-129',
      '9007199254740992',
      '9007199254740993',
      '-9223372036854775808',
      '9223372036854775807',
      'NULL',
    ],
    types: ['UInt8', 'Int8', 'Nullable(Int16)', 'UInt32', 'UInt64', 'Float64', 'Nullable(Float64)', 'Int128'],
  },
  {
    fileType: 'UInt64',
    values: [
      '0',
      '1',
      '4294967295',
      '4294967296',
      '9223372036854775807',
      '9223372036854775808',
      '18446744073709551615',
      'NULL',
    ],
    types: ['Int32', 'UInt32', 'Int64', 'Nullable(Int64)', 'Float64'],
  },
  {
    fileType: 'Date32',
    values: ['1969-12-31', '1970-01-01', '2000-02-29', '2149-06-06', '2149-06-07', '1900-01-01', 'NULL'],
    types: ['Date', 'Nullable(Date)'],
  },
  {
    fileType: "DateTime64(6, 'UTC')",
    values: [
      '1900-01-01 00:00:00',
      '1969-12-31 23:59:59.999999',
      '1970-01-01 00:00:00',
      '1970-12-31 23:59:59.5',
      '1971-01-01 00:00:00',
      '2024-03-31 01:30:00',
      '2024-10-27 00:30:00.123456',
      '2024-10-27 01:30:00.123',
      '2105-12-31 23:59:59',
      '2105-12-31 23:59:59.999999',
      '2106-02-07 06:28:15',
      '2106-02-07 06:28:16',
      '2299-12-31 23:59:59',
      'NULL',
    ],
    types: [
      'DateTime',
      'Nullable(DateTime)',
      "DateTime('UTC')",
      "DateTime('Europe/Berlin')",
      'DateTime64(3)',
      'DateTime64(9)',
      'DateTime64(0)',
      "Nullable(DateTime64(3, 'America/New_York'))",
      'Date',
    ],
  },
] as const

for (const { fileType, values, types } of CONVERSIONS)
  for (const type of types)
    test(`${fileType} of a Parquet file becomes the ${type} that its text becomes`, async () => {
      const rows = values.map((value, id) => {
        const text = value === 'NULL' ? 'NULL' : `'${value}'`
        return `SELECT ${id} AS id, CAST(${text} AS Nullable(${fileType})) AS value`
      })
      const typed = rows.join(' UNION ALL ')
      // Without a zone, the text would be read in the zone of the column.
      const zone = fileType.startsWith('DateTime64') && /'(?!UTC)/.test(type) ? 'Z' : ''
      const texts = `SELECT id, concat(toString(value), '${zone}') AS value FROM (${typed})`
      const load = async (select: string) => {
        await parquet.dataSource(parquet.name, { id: 'Int64', value: type })
        const { statistics } = await parquet.load(await parquet.fromEngine(select))
        const badRows = `SELECT id, c__error_column AS columns FROM ${parquet.name}_quarantine ORDER BY id`
        const bad = statistics!.quarantine_rows === 0 ? [] : await parquet.rows(badRows)
        const good = await parquet.table(parquet.name, 'id')
        parquet.renew()
        return { good, bad }
      }
      const outcome = await load(typed)
      expect(outcome).toEqual(await load(texts))
      const { good, bad } = outcome
      expect(good.length + bad.length).toBe(values.length)
      const ids = good.map(([id]) => id)
      // If all rows fit, they are loaded by another statement.
      expect(await load(`SELECT * FROM (${typed}) WHERE id IN (${ids.join(', ')})`)).toEqual({ good, bad: [] })
    })
