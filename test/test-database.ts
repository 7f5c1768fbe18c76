import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import pg from 'pg'
import { inject } from 'vitest'

export type TestDatabase = { readonly url: string; readonly drop: () => Promise<void> }

let created = 0

/** An empty database of its own on the PostgreSQL of the test run. */
export const createTestDatabase = async (): Promise<TestDatabase> => {
  const server = await serverUrl()
  const name = `test_${process.pid}_${++created}`
  await administer(server, `CREATE DATABASE ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => administer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) }
}

const serverUrl = async (): Promise<string> => {
  const answer = JSON.parse(await text(connect({ host: '127.0.0.1', port: inject('postgresPort') }))) as {
    url?: string
    error?: string
  }
  if (!answer.url) throw new Error(answer.error)
  return answer.url
}

const administer = async (url: string, statement: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
