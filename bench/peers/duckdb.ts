import { DuckDBInstance } from '@duckdb/node-api'

/** DuckDB in its process, with a database in a file. */
export const open = async ({ path }: { path: string }) => {
  const instance = await DuckDBInstance.create(path)
  const connection = await instance.connect()
  return {
    /** Seconds to make a table of a CSV with these types, rows that do not fit put aside. */
    async load({ csv, columns }: { csv: string; columns: Readonly<Record<string, string>> }) {
      await connection.run('DROP TABLE IF EXISTS events')
      const types = Object.entries(columns).map(([name, type]) => `'${name}': '${type}'`)
      const source = `read_csv('${csv}', header = true, columns = {${types.join(', ')}}, store_rejects = true, rejects_limit = 0)`
      const start = performance.now()
      await connection.run(`CREATE TABLE events AS SELECT * FROM ${source}`)
      return (performance.now() - start) / 1000
    },
    close: async () => {
      connection.closeSync()
      instance.closeSync()
    },
  }
}
