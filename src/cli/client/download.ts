import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable, Transform, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { EXIT } from '../exit-code.ts'
import { CliFailure } from '../failure.ts'
import { progressBar } from '../terminal/progress-bar.ts'
import { send } from './request.ts'
import type { ServerAddress } from './server-address.ts'

/** Something that is downloaded: an artifact or a result. */
export type Incoming = {
  readonly server: ServerAddress
  readonly path: string
  /** What it is called where progress is shown. */
  readonly label: string
  /** In bytes; null when unknown. */
  readonly size: number | null
  /** What it has to be, in hex; null when unknown. */
  readonly sha256: string | null
  /** Where progress is shown. */
  readonly terminal: NodeJS.WriteStream
}

/** Downloads to a file, which is there only when it is whole and its hash is right. Throws `CliFailure`, also when it cannot be written. */
export const saveToFile = async (incoming: Incoming, file: string): Promise<void> => {
  const partial = `${file}.part`
  try {
    if (await isDirectory(file)) throw new CliFailure(`${file} is a directory, not a file`, { exitCode: EXIT.usage })
    await mkdir(dirname(file), { recursive: true })
    await receive(incoming, createWriteStream(partial), { end: true })
    await rename(partial, file)
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {})
    throw unwritable(error, file)
  }
}

const isDirectory = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => null))?.isDirectory() ?? false

const NO_ROOM: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EFBIG']

/** Faults of the network have no path. */
const unwritable = (error: unknown, file: string): unknown =>
  error instanceof Error && ('path' in error || ('code' in error && NO_ROOM.includes(error.code)))
    ? new CliFailure(`${file} cannot be written: ${error.message}`, { exitCode: EXIT.usage })
    : error

/**
 * Downloads into a stream and leaves that open: to end a standard output that is a socket would end it for whoever shares
 * it, too. Throws `CliFailure` when what came is not what was promised.
 */
export const saveTo = (incoming: Incoming, target: Writable): Promise<void> => receive(incoming, target, { end: false })

const receive = async (incoming: Incoming, target: Writable, options: { readonly end: boolean }): Promise<void> => {
  const { server, path, label, size, terminal } = incoming
  const response = await send(server, { path })
  const source = response.body === null ? Readable.from([]) : Readable.fromWeb(response.body)
  await pipeline(source, progressBar(terminal, label, size), checkHash(incoming), target, options)
}

const checkHash = ({ label, sha256 }: Incoming): Transform => {
  const hash = createHash('sha256')
  return new Transform({
    transform(chunk: Uint8Array, _encoding, next) {
      hash.update(chunk)
      next(null, chunk)
    },
    flush(next) {
      const whole = sha256 === null || hash.digest('hex') === sha256
      next(whole ? null : new CliFailure(`${label} arrived damaged; try again`, { exitCode: EXIT.server }))
    },
  })
}
