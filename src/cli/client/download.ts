import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { EXIT } from '../exit-code.ts'
import { CliFailure } from '../failure.ts'
import { progressBar } from '../terminal/progress-bar.ts'
import { receive } from './request.ts'
import type { ServerAddress } from './server-address.ts'

/** An artifact or result to download. */
export type Incoming = {
  readonly server: ServerAddress
  readonly path: string
  /** The label of its progress bar. */
  readonly label: string
  /** In bytes; null: unknown. */
  readonly size: number | null
  /** The expected hash, hexadecimal; null: unknown. */
  readonly sha256: string | null
  /** Where progress is shown. */
  readonly terminal: NodeJS.WriteStream
}

/** Downloads to a file, which exists only once it is complete and its hash is right. Throws `CliFailure`, also if the file cannot be written. */
export const saveToFile = async (incoming: Incoming, file: string): Promise<void> => {
  const partial = `${file}.part`
  try {
    if (await isDirectory(file)) throw new CliFailure(`${file} is a directory, not a file`, { exitCode: EXIT.usage })
    await mkdir(dirname(file), { recursive: true })
    await download(incoming, createWriteStream(partial), { end: true })
    await rename(partial, file)
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {})
    throw unwritable(error, file)
  }
}

const isDirectory = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => null))?.isDirectory() ?? false

const NO_ROOM: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EFBIG']

/** Network errors have no path. */
const unwritable = (error: unknown, file: string): unknown =>
  error instanceof Error && ('path' in error || ('code' in error && NO_ROOM.includes(error.code)))
    ? new CliFailure(`${file} cannot be written: ${error.message}`, { exitCode: EXIT.usage })
    : error

/**
 * Downloads to a stream without ending it: if standard output is a socket, ending it would end it for every process that shares it. Throws `CliFailure` if the
 * content is not as expected.
 */
export const saveTo = (incoming: Incoming, target: Writable): Promise<void> =>
  download(incoming, target, { end: false })

const download = (incoming: Incoming, target: Writable, options: { readonly end: boolean }): Promise<void> => {
  const { server, path, label, size, terminal } = incoming
  const source = receive(server, { path })
  return pipeline(source, progressBar(terminal, label, size), checkHash(incoming), target, options)
}

const checkHash = ({ label, sha256 }: Incoming) =>
  async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256')
    for await (const chunk of source) {
      hash.update(chunk)
      yield chunk
    }
    if (sha256 !== null && hash.digest('hex') !== sha256)
      throw new CliFailure(`${label} arrived damaged; try again`, { exitCode: EXIT.server })
  }
