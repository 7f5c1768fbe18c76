import type { LogPart } from '../../../model/log-line.ts'
import { arrayLiteral } from '../array-literal.ts'

export type PartOfJob = LogPart & { readonly jobId: string }

/** Number of parameters in `logColumns`. */
export const LOG_COLUMNS = 10

/**
 * Log parts as the ten parameters of `logInput`. The contents travel as one binary value that the statement slices: an array of them would travel as
 * hexadecimal text.
 */
export const logColumns = (parts: readonly PartOfJob[]): unknown[] => {
  const column = (value: (part: PartOfJob) => string | number | null) => arrayLiteral(parts, value)
  return [
    column(part => part.jobId),
    column(part => part.firstSeq),
    column(part => part.lastSeq),
    column(part => part.attempt),
    column(part => part.firstAt),
    column(part => part.lastAt),
    column(part => part.bytes),
    column(part => part.data?.byteLength ?? null),
    column(part => part.blobKey),
    Buffer.concat(parts.flatMap(part => part.data ?? [])),
  ]
}

/** A table expression over `logColumns`; `first` is the number of the first parameter. */
export const logInput = (first: number): string => {
  const types = ['uuid', 'bigint', 'bigint', 'integer', 'bigint', 'bigint', 'bigint', 'integer', 'text']
  const arrays = types.map((type, index) => `$${first + index}::${type}[]`).join(', ')
  return `(
      SELECT p.job_id, p.first_seq, p.last_seq, p.attempt, p.first_at, p.last_at, p.bytes, p.blob_key,
        substring($${first + types.length}::bytea FROM (1 + sum(p.length) OVER (ORDER BY p.position) - p.length)::integer
          FOR p.length) AS data
      FROM unnest(${arrays}) WITH ORDINALITY
        AS p (job_id, first_seq, last_seq, attempt, first_at, last_at, bytes, length, blob_key, position)
    )`
}

/** If two parts have the same lines, as after a rescue, the longer one is kept. */
export const ON_SAME_LINES = `
      ON CONFLICT (job_id, first_seq) DO UPDATE
      SET last_seq = excluded.last_seq, last_at = excluded.last_at, bytes = excluded.bytes, data = excluded.data,
        blob_key = excluded.blob_key
      WHERE excluded.last_seq > log_part.last_seq AND log_part.blob_key IS NULL`
