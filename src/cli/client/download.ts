import { createHash, randomBytes } from 'node:crypto'
import { createWriteStream, rmSync } from 'node:fs'
import { mkdir, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { EXIT } from '../exit-code.ts'
import { CliFailure } from '../failure.ts'
import { onInterrupt } from '../interrupt.ts'
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
  try {
    const found = await stat(file).catch(() => null)
    if (found?.isDirectory()) throw new CliFailure(`${file} is a directory, not a file`, { exitCode: EXIT.usage })
    await mkdir(dirname(file), { recursive: true })
    // A pipe or device is opened: renaming a file to its name would remove it.
    if (found && !found.isFile()) await download(incoming, createWriteStream(file), { end: true })
    else if (found) await replaceFile(incoming, await realpath(file), found.mode & 0o777)
    else await replaceFile(incoming, file)
  } catch (error) {
    throw unwritable(error, file)
  }
}

/**
 * Until it is complete, the content is in a file of its own, because another command may be writing the same file. Ctrl-C removes it. `mode`: of the file
 * that is replaced.
 */
const replaceFile = async (incoming: Incoming, file: string, mode = 0o666): Promise<void> => {
  const partial = `${file}.${randomBytes(4).toString('hex')}.part`
  const stopListening = onInterrupt(() => {
    rmSync(partial, { force: true })
    process.exit(EXIT.interrupted)
  })
  try {
    await download(incoming, createWriteStream(partial, { flags: 'wx', mode }), { end: true })
    await rename(partial, file)
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {})
    throw error
  } finally {
    stopListening()
  }
}

/** Errors of the system are about the file: those of the network are already `CliFailure`. */
const unwritable = (error: unknown, file: string): unknown =>
  error instanceof Error && 'syscall' in error
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
