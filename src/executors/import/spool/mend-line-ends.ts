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
    mendReturns(chunk)
    yield chunk
  }
}

/** The same of bytes, in their place. */
export const mendReturns = (bytes: Uint8Array): void => {
  for (let at = bytes.indexOf(0x0d); at !== -1; at = bytes.indexOf(0x0d, at + 1)) bytes[at] = 0x0a
}
