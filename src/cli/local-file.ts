import { constants, isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { CliContext } from './context.ts'
import { EXIT } from './exit-code.ts'
import { CliFailure } from './failure.ts'

/** A file on this machine. */
export type LocalFile = {
  /** As the user named it. */
  readonly place: string
  readonly path: string
  /** In bytes. */
  readonly size: number
}

/** Throws `CliFailure` if `place` is not a file. */
export const findFile = async (place: string, { directory }: Pick<CliContext, 'directory'>): Promise<LocalFile> => {
  const path = resolve(directory, place)
  const found = await stat(path).catch((error: Error) => {
    throw fileFault(place, error)
  })
  if (!found.isFile()) throw new CliFailure(`${place} is not a file`, { exitCode: EXIT.usage })
  return { place, path, size: found.size }
}

/** The content of a file, as long as it was when it was found, unless it had no size. Throws `CliFailure` if it cannot be read. */
export async function* fileContent({ place, path, size }: LocalFile): AsyncGenerator<Uint8Array> {
  const end = size === 0 ? {} : { end: size - 1 }
  try {
    yield* createReadStream(path, { highWaterMark: 256 * 1024, ...end })
  } catch (error) {
    throw fileFault(place, error as Error)
  }
}

/** How messages name a file that may be standard input. */
export const placeText = (place: string): string => (place === '-' ? 'standard input' : place)

/** The text of a file, or of standard input (`-`), without a byte order mark. Throws `CliFailure` if it cannot be read or is not UTF-8. */
export const readText = async (place: string, context: CliContext): Promise<string> =>
  (await readExactText(place, context)).replace(/^\ufeff/, '')

/** The same with a byte order mark. */
export const readExactText = async (place: string, { stdin, directory }: CliContext): Promise<string> => {
  const wrong = (what: string) => new CliFailure(`${placeText(place)} ${what}`, { exitCode: EXIT.usage })
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of place === '-' ? stdin : createReadStream(resolve(directory, place))) {
      size += chunk.length
      if (size > constants.MAX_STRING_LENGTH) throw wrong('is too long for a text')
      chunks.push(chunk)
    }
  } catch (error) {
    throw error instanceof CliFailure ? error : fileFault(placeText(place), error as Error)
  }
  const bytes = Buffer.concat(chunks)
  if (!isUtf8(bytes)) throw wrong('is not UTF-8 text')
  return bytes.toString('utf8')
}

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'cannot be read: permission denied',
  EISDIR: 'is a directory',
  ELOOP: 'is a symbolic link that leads back to itself',
  ENOTDIR: 'is below a file, not a directory',
}

/** The system's error for an unreadable file or directory, for the user who named it. */
export const fileFault = (place: string, { code = '', message }: NodeJS.ErrnoException): CliFailure => {
  const said = WORDS[code] === undefined ? `${place}: ${message}` : `${place} ${WORDS[code]}`
  const text = code === 'ENOENT' ? `there is no file or directory ${place}` : said
  return new CliFailure(text, { exitCode: EXIT.usage })
}
