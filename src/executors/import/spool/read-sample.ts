import { open } from 'node:fs/promises'
import type { DataFormat } from '../../../model/data-source.ts'
import { ImportFailure } from '../import-failure.ts'

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
  if (format === 'parquet') return isParquet ? null : 'The content is no Parquet: it does not begin with PAR1.'
  if (isParquet) return 'The content is Parquet: say format: parquet.'
  if (isUtf16(bytes)) return 'The content is UTF-16: convert it to UTF-8 (iconv -f UTF-16 -t UTF-8).'
  const start = bytes.subarray(0, 1024).toString('latin1').trimStart().slice(0, 64).toLowerCase()
  if (/^(<!doctype html|<html|<head|<body)/.test(start))
    return 'The content is a page of HTML: the address leads to a page about the file, or asks to log in.'
  if (start.startsWith('<?xml')) return `The content is XML, not ${format}.`
  if (start.startsWith('%pdf-')) return `The content is PDF, not ${format}.`
  if (start.startsWith('pk\u0003\u0004'))
    return 'The content is a ZIP archive: unpack it; gzip and zstd are read as they are.'
  return null
}

/** By its mark, or by every other byte of the beginning being zero. */
const isUtf16 = (bytes: Buffer): boolean => {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) return true
  const head = bytes.subarray(0, 256)
  const zeros = head.filter(byte => byte === 0).length
  return head.length >= 8 && zeros >= head.length * 0.4 && zeros <= head.length * 0.6
}
