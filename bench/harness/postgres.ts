import pg from 'pg'
import { startPostgresServer } from '../../test/postgres-server.ts'

/** A PostgreSQL of our own that flushes every commit to disk, with a database per contestant. */
export type BenchPostgres = {
  /** Makes an empty database and gives its URL. */
  createDatabase(name: string): Promise<string>
  stop(): Promise<void>
}

export const startPostgres = async (): Promise<BenchPostgres> => {
  const server = await startPostgresServer({ durable: true })
  return {
    async createDatabase(name) {
      const client = new pg.Client({ connectionString: server.url })
      await client.connect()
      await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`)
      await client.end()
      const url = new URL(server.url)
      url.pathname = `/${name}`
      return url.href
    },
    stop: () => server.stop(),
  }
}
