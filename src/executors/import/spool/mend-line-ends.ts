import { createReadStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { spoolContent } from './spool-content.ts'

/** Whether lines end with a carriage return alone, as on old Macintoshes. */
export const hasLoneReturns = (sample: Buffer): boolean => sample.includes(0x0d) && !sample.includes(0x0a)

/** Makes line feeds of the carriage returns of a file. */
export const mendLineEnds = async (path: string): Promise<void> => {
  const mended = `${path}.mended`
  try {
    await spoolContent(mended, replaced(createReadStream(path, { highWaterMark: 1024 * 1024 })))
    await rename(mended, path)
  } finally {
    await rm(mended, { force: true })
  }
}

async function* replaced(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    for (let at = chunk.indexOf(0x0d); at !== -1; at = chunk.indexOf(0x0d, at + 1)) chunk[at] = 0x0a
    yield chunk
  }
}
