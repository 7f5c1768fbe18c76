import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import pg from 'pg'
import { inject } from 'vitest'
import { migrate } from '../src/store/postgres/migrate.ts'

export type TestDatabase = {
  readonly url: string
  /** Runs a statement over a connection of its own. */
  readonly query: (statement: string) => Promise<readonly Record<string, unknown>[]>
  /** Empties the database. */
  readonly clear: () => Promise<void>
  /** Resets it to the state of a new store. Several times as fast as dropping and migrating it. */
  readonly renew: () => Promise<void>
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
  /** Kept, because some tests renew hundreds of times: a new connection costs as much as the statement. */
  let renewing: pg.Client | null = null
  const clear = async () => void (await query(own.href, 'DROP SCHEMA IF EXISTS millrace, fresh CASCADE'))
  const renew = async (): Promise<void> => {
    if (renewing === null) {
      renewing = new pg.Client({ connectionString: own.href })
      await renewing.connect()
    }
    const { rows } = await renewing.query("SELECT to_regnamespace('fresh') IS NOT NULL AS can_renew")
    if (rows[0].can_renew) return void (await renewing.query(RENEW))
    await clear()
    await migrate(own.href)
    await renewing.query(KEEP_FRESH)
  }
  return {
    url: own.href,
    query: statement => query(own.href, statement),
    clear,
    renew,
    drop: async () => {
      await renewing?.end()
      await query(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    },
  }
}

/** Keeps a copy of the rows that migrations insert. */
const KEEP_FRESH = `
  CREATE SCHEMA fresh;
  DO $$
  DECLARE
    name text;
  BEGIN
    FOR name IN SELECT relname FROM pg_class
      WHERE relnamespace = 'millrace'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0
    LOOP
      EXECUTE format('CREATE TABLE fresh.%1$I AS TABLE millrace.%1$I', name);
    END LOOP;
  END $$`

/** Truncates only tables that have had rows, since each takes time, and restores the rows that migrations insert. */
const RENEW = `
  DO $$
  DECLARE
    name text;
    used text;
  BEGIN
    SELECT string_agg(oid::regclass::text, ', ') INTO used FROM pg_class
      WHERE relnamespace = 'millrace'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0;
    EXECUTE 'TRUNCATE ' || used || ' CASCADE';
    FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'fresh'::regnamespace AND relkind = 'r'
    LOOP
      EXECUTE format('INSERT INTO millrace.%1$I OVERRIDING SYSTEM VALUE SELECT * FROM fresh.%1$I', name);
    END LOOP;
    PERFORM setval(seqrelid, seqstart, false) FROM pg_sequence JOIN pg_class ON pg_class.oid = seqrelid
      WHERE relnamespace = 'millrace'::regnamespace;
  END $$`

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
