import { open } from 'node:fs/promises'
import { ImportFailure } from '../import-failure.ts'
import { END_BYTES, findFooter, readAt } from './footer-place.ts'

/** More than a thousand row groups of five hundred columns need. */
const MOST_BYTES = 32 * 1024 * 1024

/** The footer of a Parquet file and what follows it (`README.md` of apache/parquet-format). Throws `ImportFailure` `content_unreadable`. */
export const readFooter = async (path: string): Promise<Buffer> => {
  await using file = await open(path)
  const { start, bytes } = (await findFooter(file)) ?? { start: 0, bytes: 0 }
  if (bytes === 0)
    throw new ImportFailure('content_unreadable', 'The content cannot be read as Parquet: it has no footer at its end.')
  if (bytes > MOST_BYTES)
    throw new ImportFailure('content_unreadable', `The footer of the Parquet has ${bytes} bytes, ${MOST_BYTES} may be.`)
  return readAt(file, start, bytes + END_BYTES)
}
