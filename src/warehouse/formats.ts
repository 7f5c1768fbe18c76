import type { ResultFormat } from '../model/job.ts'

type EngineFormat = { readonly name: string; readonly settings?: Readonly<Record<string, string | number>> }

/** Other implementations of Arrow do not read every codec: whoever wants it small takes Parquet. */
const UNCOMPRESSED = { output_format_arrow_compression_method: 'none' }

/** What JSON readers make of larger integers is another number. */
const LARGE_INTEGERS_AS_TEXT = { output_format_json_quote_64bit_integers: 1 }

/** ClickHouse's name of each format of results, and the settings that make it ours. */
export const ENGINE_FORMATS: Readonly<Record<ResultFormat, EngineFormat>> = {
  arrow: { name: 'Arrow', settings: UNCOMPRESSED },
  arrow_stream: { name: 'ArrowStream', settings: UNCOMPRESSED },
  parquet: { name: 'Parquet' },
  csv: { name: 'CSVWithNames' },
  ndjson: { name: 'JSONEachRow', settings: { ...LARGE_INTEGERS_AS_TEXT, output_format_json_array_of_rows: 0 } },
  json: { name: 'JSONEachRow', settings: { ...LARGE_INTEGERS_AS_TEXT, output_format_json_array_of_rows: 1 } },
}
