import { randomUUID } from 'node:crypto'
import { type FileHandle, lstat, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { GrowingFile } from '../../kernel/growing-file.ts'
import { WarehouseError } from '../warehouse.ts'

/**
 * A shorter way for results than the body of an HTTP answer: chDB writes a file in the engine's spool, on its own threads, and
 * the server follows it. The statement is sent as ever, with one parameter more; its answer, without a body, comes when the
 * file is written, and tells errors wherever they happened.
 */
export interface ResultFiles {
  /** Throws `WarehouseError` when the engine's folder has gone. */
  create(): Promise<ResultFile>
}

export interface ResultFile {
  /** To be sent along as settings of the statement. */
  readonly parameters: { readonly result_file: string }
  /** What the statement writes whose answer is given. To be called once, when the statement is sent; `leave` has to end it. */
  follow(statement: { readonly answer: Promise<unknown>; readonly leave: () => void }): GrowingFile
}

/** Those of the engine that has this spool. */
export const createResultFiles = (spoolPath: string): ResultFiles => ({
  create: async () => {
    const name = `result-${randomUUID()}`
    const path = join(spoolPath, name)
    // Made here: it is the server's whatever happens to its name.
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

/** An engine that was started in between has emptied the spool, and made a file of this name anew. */
const mustBeWritten = async (path: string, handle: FileHandle): Promise<void> => {
  const [opened, named] = await Promise.all([handle.stat(), lstat(path).catch(() => null)])
  if (opened.size > 0 || opened.ino === named?.ino) return
  await rm(path, { force: true })
  throw new WarehouseError('engine_lost', 'The engine was started again before it had the statement.')
}
