import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { loadChdb } from '../../src/warehouse/embedded/engine/chdb.ts'

/** chDB alone in its process, which writes the file of a query itself. */
export const open = async ({ directory }: { directory: string }) => {
  const session = new (loadChdb().Session)(join(directory, 'chdb'))
  const path = join(directory, 'result')
  return {
    /** Seconds to write the rows of a query to a file, which is then removed. */
    async write({ sql, format }: { sql: string; format: string }): Promise<{ seconds: number; bytes: number }> {
      const start = performance.now()
      await session.queryAsync(`${sql} INTO OUTFILE '${path}' TRUNCATE FORMAT ${format}`, { format: 'Null' })
      const seconds = (performance.now() - start) / 1000
      const { size } = await stat(path)
      await rm(path)
      return { seconds, bytes: size }
    },
    close: async () => session.close(),
  }
}
