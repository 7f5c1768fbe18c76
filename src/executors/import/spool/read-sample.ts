import { open } from 'node:fs/promises'
import type { DataFormat } from '../../../model/data-source.ts'
import { ImportFailure } from '../import-failure.ts'
import { otherContent } from './other-content.ts'
import { otherJson } from './other-json.ts'

/** What the beginning of content is judged by. */
export type Sample = {
  readonly bytes: Buffer
  /** It is all there is. */
  readonly isWhole: boolean
  readonly size: number
}

/** As much of content as is looked at. */
export const SAMPLE_BYTES = 1024 * 1024

/** The first MiB. Throws `ImportFailure` `content_unreadable` for what cannot be of the format: better said at once than in terms of its columns. */
export const readSample = async (path: string, format: DataFormat): Promise<Sample> => {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const bytes = Buffer.alloc(Math.min(size, SAMPLE_BYTES))
    await file.read(bytes, 0, bytes.length, 0)
    refuseOther(bytes, format)
    return { bytes, isWhole: size === bytes.length, size }
  } finally {
    await file.close()
  }
}

/** Throws `ImportFailure` `content_unreadable` for the beginning of what cannot be of the format. */
export const refuseOther = (bytes: Buffer, format: DataFormat): void => {
  const fault = faultOf(bytes, format)
  if (fault !== null) throw new ImportFailure('content_unreadable', fault)
}

const faultOf = (bytes: Buffer, format: DataFormat): string | null => {
  if (bytes.length === 0) return null
  const isParquet = bytes.subarray(0, 4).toString('latin1') === 'PAR1'
  if (format === 'parquet' && isParquet) return null
  const other = otherContent(bytes)
  if (other !== null) return other
  if (format === 'parquet') return 'The content is no Parquet: it does not begin with PAR1.'
  return format === 'ndjson' ? otherJson(bytes) : null
}
