import { readdirSync, readFileSync } from 'node:fs'
import type { Database } from './database.ts'

const DIRECTORY = new URL('./migrations/', import.meta.url)

/**
 * Migrates the database to the program's version, each step in its own transaction. The version is SQLite's `user_version`. Throws if the database is
 * newer than the program: an older program could break its guarantees.
 */
export const migrate = (db: Database): void => {
  const migrations = readdirSync(DIRECTORY)
    .filter(name => name.endsWith('.sql'))
    .sort()
  const [version] = db.get<[number]>('PRAGMA user_version')!
  if (version > migrations.length)
    throw new Error(
      `The database has version ${version}, this program knows versions up to ${migrations.length}. Run the newer program that wrote it, or restore a backup.`,
    )
  for (const [index, name] of migrations.entries()) if (index >= version) apply(db, name, index + 1)
}

const apply = (db: Database, name: string, version: number): void => {
  db.exec('BEGIN IMMEDIATE')
  try {
    db.exec(readFileSync(new URL(name, DIRECTORY), 'utf8'))
    db.exec(`PRAGMA user_version = ${version}`)
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw new Error(`Migration ${name} failed: ${(error as Error).message}`, { cause: error })
  }
}
