import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import pg from 'pg'
import { inject } from 'vitest'

export type TestDatabase = {
  readonly url: string
  /** Runs a statement as a client of its own would. */
  readonly query: (statement: string) => Promise<readonly Record<string, unknown>[]>
  /** Makes it empty again. */
  readonly clear: () => Promise<void>
  readonly drop: () => Promise<void>
}

let created = 0

/** An empty database of its own on the PostgreSQL of the test run. */
export const createTestDatabase = async (): Promise<TestDatabase> => {
  const server = await serverUrl()
  const name = `test_${process.pid}_${++created}`
  await query(server, `CREATE DATABASE ${name}`)
  const own = new URL(server)
  own.pathname = `/${name}`
  return {
    url: own.href,
    query: statement => query(own.href, statement),
    clear: async () => void (await query(own.href, 'DROP SCHEMA IF EXISTS millrace CASCADE')),
    drop: async () => void (await query(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  }
}

const serverUrl = async (): Promise<string> => {
  const answer = JSON.parse(await text(connect({ host: '127.0.0.1', port: inject('postgresPort') }))) as {
    url?: string
    error?: string
  }
  if (!answer.url) throw new Error(answer.error)
  return answer.url
}

const query = async (url: string, statement: string): Promise<readonly Record<string, unknown>[]> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}
