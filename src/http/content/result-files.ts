import type { ResultFormat } from '../../model/job.ts'

/** Media type and file extension of each result format. */
export const RESULT_FILES = {
  json: { type: 'application/json; charset=utf-8', extension: 'json' },
  ndjson: { type: 'application/x-ndjson; charset=utf-8', extension: 'ndjson' },
  ndjson_exact: { type: 'application/x-ndjson; charset=utf-8', extension: 'ndjson' },
  csv: { type: 'text/csv; charset=utf-8; header=present', extension: 'csv' },
  arrow: { type: 'application/vnd.apache.arrow.file', extension: 'arrow' },
  arrow_stream: { type: 'application/vnd.apache.arrow.stream', extension: 'arrows' },
  parquet: { type: 'application/vnd.apache.parquet', extension: 'parquet' },
} as const satisfies Record<ResultFormat, { type: string; extension: string }>
