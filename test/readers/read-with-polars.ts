/**
 * Prints what polars makes of a file, as JSON of texts: `{"column": {"type": …, "values": […]}}`.
 *
 *     node read-with-polars.ts <format> <path>
 */
import { readFileSync } from 'node:fs'
import pl from 'nodejs-polars'

const [format, path] = process.argv.slice(2) as [keyof typeof READ, string]
const content = readFileSync(path)

/** A number that may be `nan` is text to polars unless it is told; of integers as wide as it would take, JavaScript sees none. */
const CSV_TYPES = { large: pl.UInt64, ratio: pl.Float64, huge: pl.Utf8 }

const READ = {
  arrow: () => pl.readIPC(content),
  arrow_stream: () => pl.readIPCStream(content),
  parquet: () => pl.readParquet(content),
  csv: () => pl.readCSV(content, { nullValues: '\\N', tryParseDates: true, dtypes: CSV_TYPES }),
  ndjson: () => pl.readJSON(content, { format: 'lines' }),
  json: () => pl.readJSON(content, { format: 'json' }),
}

/** `Datetime(ms,UTC)` of `DataType(Datetime(ms,UTC))`. */
const typeOf = ({ dtype }: pl.Series): string => String(dtype).slice('DataType('.length, -1)

/** What polars itself calls the values: JavaScript has no words for some of them. */
const textsOf = (series: pl.Series): readonly (string | null)[] => {
  if (!typeOf(series).startsWith('List')) return series.cast(pl.Utf8).toArray()
  return series.toArray().map((list: unknown) => (list === null ? null : JSON.stringify(list)))
}

const columns = READ[format]().getColumns()
const report = columns.map(series => [series.name, { type: typeOf(series), values: textsOf(series) }])
console.log(JSON.stringify(Object.fromEntries(report)))
