import { open as openFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadChdb } from '../../src/warehouse/embedded/engine/chdb.ts'

type Statement = { readonly sql: string; readonly format: string }

/** chDB alone in its process, which writes the file of a query itself. */
export const open = async ({ directory }: { directory: string }) => {
  const session = new (loadChdb().Session)(join(directory, 'chdb'))
  const path = join(directory, 'result')

  const write = ({ sql, format }: Statement): Promise<unknown> =>
    session.queryAsync(`${sql} INTO OUTFILE '${path}' TRUNCATE FORMAT ${format}`, { format: 'Null' })

  /** As its package for Node offers it: the rows are handed out, and the program writes them. */
  const writeHandedOut = async ({ sql, format }: Statement): Promise<void> => {
    const answer = await session.queryAsync(sql, { format })
    await writeFile(path, answer.bytes())
  }

  const flush = async (): Promise<void> => {
    const file = await openFile(path)
    await file.sync()
    await file.close()
  }

  /** Seconds that the work on the file takes; then it is removed. */
  const timed = async (work: () => Promise<unknown>): Promise<{ seconds: number; bytes: number }> => {
    const start = performance.now()
    await work()
    const seconds = (performance.now() - start) / 1000
    const { size } = await stat(path)
    await rm(path)
    return { seconds, bytes: size }
  }

  return {
    /** Writes the rows of a query to a file, and leaves it to the kernel when they get to the disk. */
    write: (statement: Statement) => timed(() => write(statement)),
    /** The same through the memory of the process. */
    writeHandedOut: (statement: Statement) => timed(() => writeHandedOut(statement)),
    /** As the first, and flushes the file. */
    writeAndFlush: (statement: Statement) => timed(() => write(statement).then(flush)),
    /** Seconds of statements of any kind. */
    async run(statements: readonly string[]): Promise<number> {
      const start = performance.now()
      for (const sql of statements) await session.queryAsync(sql, { format: 'Null' })
      return (performance.now() - start) / 1000
    },
    close: async () => session.close(),
  }
}
