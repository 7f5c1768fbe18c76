import pg from 'pg'
import { startPostgresServer } from '../../test/postgres-server.ts'

/** A PostgreSQL of our own that flushes every commit to disk, with a database per contestant. */
export type BenchPostgres = {
  /** Makes an empty database and gives its URL. */
  createDatabase(name: string): Promise<string>
  /** What autovacuum does to a database sooner or later, now. */
  vacuum(name: string): Promise<void>
  stop(): Promise<void>
}

export const startPostgres = async (): Promise<BenchPostgres> => {
  const server = await startPostgresServer({ durable: true })
  const urlOf = (database: string): string => {
    const url = new URL(server.url)
    url.pathname = `/${database}`
    return url.href
  }
  return {
    async createDatabase(name) {
      await execute(server.url, `CREATE DATABASE ${pg.escapeIdentifier(name)}`)
      return urlOf(name)
    },
    vacuum: name => execute(urlOf(name), 'VACUUM (ANALYZE)'),
    stop: () => server.stop(),
  }
}

const execute = async (url: string, sql: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(sql)
  await client.end()
}
