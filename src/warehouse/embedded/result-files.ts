import { randomUUID } from 'node:crypto'
import { type FileHandle, lstat, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { GrowingFile } from '../../kernel/growing-file.ts'
import { WarehouseError } from '../warehouse.ts'

/**
 * A faster path for results than an HTTP response body: chDB writes a file in the engine's spool, on its own threads, and the server reads it as it grows. The
 * statement is sent as usual, with one extra parameter. Its response has no body: it comes when the file is complete, and reports errors from any stage.
 */
export interface ResultFiles {
  /** Throws `WarehouseError` if the engine's folder is gone. */
  create(): Promise<ResultFile>
}

export interface ResultFile {
  /** Send these as settings of the statement. */
  readonly parameters: { readonly result_file: string }
  /** The content that the statement writes. Call it once, when the statement has been sent; `leave` must cancel the statement. */
  follow(statement: { readonly answer: Promise<unknown>; readonly leave: () => void }): GrowingFile
}

/** The result files in one engine's spool. */
export const createResultFiles = (spoolPath: string): ResultFiles => ({
  create: async () => {
    const name = `result-${randomUUID()}`
    const path = join(spoolPath, name)
    // Created here, so that the server keeps its open file whatever happens to the name.
    const handle = await open(path, 'wx+', 0o600).catch(engineGone)
    return {
      parameters: { result_file: name },
      follow: ({ answer, leave }) => {
        const written = answer.then(() => mustBeWritten(path, handle))
        return new GrowingFile({ path, handle, written, leave })
      },
    }
  },
})

const engineGone = (error: NodeJS.ErrnoException): never => {
  if (error.code !== 'ENOENT') throw error
  throw new WarehouseError('engine_lost', 'The engine is gone, and its folder with it.', { cause: error })
}

/** An engine that restarted in between has emptied the spool, and has written to a new file of this name. */
const mustBeWritten = async (path: string, handle: FileHandle): Promise<void> => {
  const [opened, named] = await Promise.all([handle.stat(), lstat(path).catch(() => null)])
  if (opened.size > 0 || opened.ino === named?.ino) return
  await rm(path, { force: true })
  throw new WarehouseError('engine_lost', 'The engine was started again before it had the statement.')
}
