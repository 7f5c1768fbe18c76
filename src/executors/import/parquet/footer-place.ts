import type { FileHandle } from 'node:fs/promises'

/** The length of the footer, and `PAR1`. */
export const END_BYTES = 8

/** Where the footer of a Parquet file begins, and its length. */
export type FooterPlace = { readonly start: number; readonly bytes: number }

/** null: the file does not end like Parquet. */
export const findFooter = async (file: FileHandle): Promise<FooterPlace | null> => {
  const { size } = await file.stat()
  if (size < END_BYTES) return null
  const end = await readAt(file, size - END_BYTES, END_BYTES)
  const [bytes, start] = [end.readUInt32LE(0), size - END_BYTES - end.readUInt32LE(0)]
  return end.toString('latin1', 4) === 'PAR1' && start >= 0 ? { start, bytes } : null
}

/** Shorter if the file ends before. */
export const readAt = async (file: FileHandle, position: number, length: number): Promise<Buffer> => {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  return buffer.subarray(0, bytesRead)
}
