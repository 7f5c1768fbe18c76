import { readdirSync, readFileSync } from 'node:fs'
import type { Database } from './database.ts'

const DIRECTORY = new URL('./migrations/', import.meta.url)

/**
 * Migrates the database to the program's version, in one transaction: after a failure the previous program can still use it. The version is SQLite's
 * `user_version`. Throws if the database is newer than the program: an older program could break its guarantees.
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
  if (version === migrations.length) return
  db.exec('BEGIN IMMEDIATE')
  try {
    for (const name of migrations.slice(version)) apply(db, name)
    db.exec(`PRAGMA user_version = ${migrations.length}`)
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

const apply = (db: Database, name: string): void => {
  try {
    db.exec(readFileSync(new URL(name, DIRECTORY), 'utf8'))
  } catch (error) {
    throw new Error(`Migration ${name} failed: ${(error as Error).message}`, { cause: error })
  }
}
