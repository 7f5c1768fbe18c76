import type { ResultFormat } from '../model/job.ts'

type EngineFormat = { readonly name: string; readonly settings?: Readonly<Record<string, string | number>> }

/** Other implementations of Arrow do not read every codec: whoever wants it small takes Parquet. */
const UNCOMPRESSED = { output_format_arrow_compression_method: 'none' }

/** Of a state of an aggregate function the engine would write the address in its memory: nobody else asks what columns are, where two have one name. */
const NO_STATES = { output_format_arrow_unsupported_types_as_binary: 0 }

const ARROW_SETTINGS = { ...UNCOMPRESSED, ...NO_STATES }

/** By its filters of values DuckDB does not find bytes of a FixedString that are there: it looks for them as it would show them (`\x00`). */
const NO_BLOOM_FILTERS = { output_format_parquet_write_bloom_filter: 0 }

/** A Point is a pair of numbers: what the engine marks as geometry of GeoParquet neither DuckDB nor polars reads. */
const PLAIN_GEOMETRY = { output_format_parquet_geometadata: 0 }

/** What JSON readers make of larger integers, and of decimals, is another number; pandas refuses the file. */
const EXACT_NUMBERS_AS_TEXT = { output_format_json_quote_64bit_integers: 1, output_format_json_quote_decimals: 1 }

/** JSON is UTF-8: other bytes become U+FFFD, else no reader takes the file. */
const UTF8_ALONE = { output_format_json_validate_utf8: 1 }

const JSON_SETTINGS = { ...EXACT_NUMBERS_AS_TEXT, ...UTF8_ALONE }

const NDJSON_SETTINGS = { ...JSON_SETTINGS, output_format_json_array_of_rows: 0 }

/** ClickHouse's name of each format of results, and the settings that make it ours. */
export const ENGINE_FORMATS: Readonly<Record<ResultFormat, EngineFormat>> = {
  arrow: { name: 'Arrow', settings: ARROW_SETTINGS },
  arrow_stream: { name: 'ArrowStream', settings: ARROW_SETTINGS },
  parquet: { name: 'Parquet', settings: { ...PLAIN_GEOMETRY, ...NO_BLOOM_FILTERS } },
  csv: { name: 'CSVWithNames' },
  ndjson: { name: 'JSONEachRow', settings: NDJSON_SETTINGS },
  ndjson_exact: { name: 'JSONEachRow', settings: { ...NDJSON_SETTINGS, output_format_json_quote_denormals: 1 } },
  json: { name: 'JSONEachRow', settings: { ...JSON_SETTINGS, output_format_json_array_of_rows: 1 } },
}
