import { open } from 'node:fs/promises'
import { ImportFailure } from '../import-failure.ts'

/** The length of the footer, and `PAR1`. */
const END_BYTES = 8

/** More than a thousand row groups of five hundred columns need. */
const MOST_BYTES = 32 * 1024 * 1024

/** The footer of a Parquet file and what follows it (`README.md` of apache/parquet-format). Throws `ImportFailure` `content_unreadable`. */
export const readFooter = async (path: string): Promise<Buffer> => {
  await using file = await open(path)
  const { size } = await file.stat()
  const read = async (bytes: number): Promise<Buffer> => {
    const buffer = Buffer.alloc(bytes)
    await file.read(buffer, 0, bytes, size - bytes)
    return buffer
  }
  const end = size < END_BYTES ? null : await read(END_BYTES)
  const bytes = end === null || end.toString('latin1', 4) !== 'PAR1' ? 0 : end.readUInt32LE(0)
  if (bytes === 0 || bytes + END_BYTES > size)
    throw new ImportFailure('content_unreadable', 'The content cannot be read as Parquet: it has no footer at its end.')
  if (bytes > MOST_BYTES)
    throw new ImportFailure('content_unreadable', `The footer of the Parquet has ${bytes} bytes, ${MOST_BYTES} may be.`)
  return read(bytes + END_BYTES)
}
