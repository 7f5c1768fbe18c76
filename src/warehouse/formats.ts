import type { ResultFormat } from '../model/job.ts'

type EngineFormat = { readonly name: string; readonly settings?: Readonly<Record<string, string | number>> }

/** Not every implementation of Arrow supports every codec. For small files there is Parquet. */
const UNCOMPRESSED = { output_format_arrow_compression_method: 'none' }

/**
 * Without this, the engine writes an aggregate function's state as its memory address. `portable-columns.ts` refuses such columns only in a SELECT that it can
 * describe.
 */
const NO_STATES = { output_format_arrow_unsupported_types_as_binary: 0 }

const ARROW_SETTINGS = { ...UNCOMPRESSED, ...NO_STATES }

/** With bloom filters, DuckDB misses FixedString values that exist: it looks up the text that it would display (`\x00`). */
const NO_BLOOM_FILTERS = { output_format_parquet_write_bloom_filter: 0 }

/** A Point is a pair of numbers. Neither DuckDB nor polars can read it once it is marked as GeoParquet geometry. */
const PLAIN_GEOMETRY = { output_format_parquet_geometadata: 0 }

/** JSON readers round larger integers and decimals; pandas refuses the file. */
const EXACT_NUMBERS_AS_TEXT = { output_format_json_quote_64bit_integers: 1, output_format_json_quote_decimals: 1 }

/** JSON is UTF-8. Other bytes become U+FFFD; otherwise readers would reject the file. */
const UTF8_ALONE = { output_format_json_validate_utf8: 1 }

const JSON_SETTINGS = { ...EXACT_NUMBERS_AS_TEXT, ...UTF8_ALONE }

const NDJSON_SETTINGS = { ...JSON_SETTINGS, output_format_json_array_of_rows: 0 }

/** ClickHouse's name for each result format, and the settings it needs. */
export const ENGINE_FORMATS: Readonly<Record<ResultFormat, EngineFormat>> = {
  arrow: { name: 'Arrow', settings: ARROW_SETTINGS },
  arrow_stream: { name: 'ArrowStream', settings: ARROW_SETTINGS },
  parquet: { name: 'Parquet', settings: { ...PLAIN_GEOMETRY, ...NO_BLOOM_FILTERS } },
  csv: { name: 'CSVWithNames' },
  ndjson: { name: 'JSONEachRow', settings: NDJSON_SETTINGS },
  ndjson_exact: { name: 'JSONEachRow', settings: { ...NDJSON_SETTINGS, output_format_json_quote_denormals: 1 } },
  json: { name: 'JSONEachRow', settings: { ...JSON_SETTINGS, output_format_json_array_of_rows: 1 } },
}
