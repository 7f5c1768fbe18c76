import { readdir, readFile } from 'node:fs/promises'
import pg from 'pg'
import { toFault } from './fault.ts'

type Migration = { readonly version: number; readonly file: string }

/** Arbitrary, but unique within the database: makes concurrent migrations run one after the other. */
const LOCK = 7_140_926_381

/** Migrates the database to this program's version: one transaction, under a lock. Throws if the database is newer than the program. */
export const migrate = async (url: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url, application_name: 'millrace', connectionTimeoutMillis: 10_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('BEGIN')
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK])
    await applyMissing(client, await listMigrations())
    await client.query('COMMIT')
  } catch (error) {
    throw toFault(error)
  } finally {
    await client.end().catch(() => {})
  }
}

const FOLDER = new URL('./migrations/', import.meta.url)

const listMigrations = async (): Promise<readonly Migration[]> => {
  const files = await readdir(FOLDER)
  return files
    .filter(file => file.endsWith('.sql'))
    .sort()
    .map(file => ({ version: Number.parseInt(file, 10), file }))
}

const applyMissing = async (client: pg.Client, migrations: readonly Migration[]): Promise<void> => {
  const current = await currentVersion(client)
  const known = migrations.at(-1)?.version ?? 0
  if (current > known)
    throw new Error(
      `The database has schema version ${current}, this program knows versions up to ${known}: it was used by a newer Millrace. Start that one, or use another database.`,
    )
  for (const { version, file } of migrations.filter(migration => migration.version > current)) {
    await client.query(await readFile(new URL(file, FOLDER), 'utf8'))
    await client.query('INSERT INTO millrace.migration (version, name) VALUES ($1, $2)', [version, file])
  }
}

const currentVersion = async (client: pg.Client): Promise<number> => {
  // Checked first: a user without the right to create schemas may use an existing one, and IF NOT EXISTS needs the right as well.
  const { rows } = await client.query<{ found: boolean; has_schema: boolean }>(
    `SELECT to_regclass('millrace.migration') IS NOT NULL AS found, to_regnamespace('millrace') IS NOT NULL AS has_schema`,
  )
  const { found, has_schema: hasSchema } = rows[0]!
  if (!hasSchema) await client.query('CREATE SCHEMA millrace')
  if (!found) {
    await client.query(
      'CREATE TABLE millrace.migration (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
    )
  }
  const versions = await client.query<{ version: number | null }>(
    'SELECT max(version) AS version FROM millrace.migration',
  )
  return versions.rows[0]!.version ?? 0
}
