import type { NewResult } from '../../../model/outcome.ts'
import { arrayLiteral } from '../array-literal.ts'

export type ResultOfJob = { readonly jobId: string; readonly result: NewResult }

/** Job results as the eight parameters of `insertResults`. As with logs, the contents travel as one binary value that the statement slices. */
export const resultColumns = (results: readonly ResultOfJob[]): unknown[] => {
  const column = (value: (result: NewResult) => string | number | null) =>
    arrayLiteral(results, ({ result }) => value(result))
  return [
    arrayLiteral(results, ({ jobId }) => jobId),
    column(result => result.bytes),
    column(({ keptMs }) => (keptMs !== null && Number.isFinite(keptMs) ? Math.round(keptMs) : null)),
    column(result => result.format),
    column(result => result.sha256),
    column(({ content }) => ('blobKey' in content ? content.blobKey : null)),
    column(({ content }) => ('data' in content ? content.data.byteLength : null)),
    Buffer.concat(results.flatMap(({ result: { content } }) => ('data' in content ? [content.data] : []))),
  ]
}

/** Stores the results of the jobs in `jobs` (a query of ids). Expects a `clock` CTE. `first` is the number of the first parameter. */
export const insertResults = (first: number, jobs: string): string => {
  const types = ['uuid', 'bigint', 'bigint', 'text', 'text', 'text', 'integer']
  const arrays = types.map((type, index) => `$${first + index}::${type}[]`).join(', ')
  return `
      INSERT INTO millrace.result (job_id, bytes, expires_at, format, sha256, blob_key, data)
      SELECT r.job_id, r.bytes, clock.now + r.kept_ms, r.format, r.sha256, r.blob_key,
        substring($${first + types.length}::bytea FROM (1 + r.until - r.length)::integer FOR r.length)
      FROM clock, (
        SELECT *, sum(length) OVER (ORDER BY position) AS until
        FROM unnest(${arrays}) WITH ORDINALITY
          AS i (job_id, bytes, kept_ms, format, sha256, blob_key, length, position)
      ) AS r
      WHERE (r.job_id IN (${jobs})) IS TRUE`
}
