import type { Database } from './database.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** null if not set. */
export const readSetting = (db: Database, name: string): string | null =>
  db.get<[string]>('SELECT value FROM setting WHERE name = ?', name)?.[0] ?? null

export const getSetting = ({ db }: Reader, { name }: { name: string }): string | null => readSetting(db, name)

export const setSetting = ({ db }: Writer, { name, value }: { name: string; value: string }): void => {
  db.run('INSERT INTO setting VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value', name, value)
}

export const replaceSetting = (
  writer: Writer,
  { name, from, to }: { name: string; from: string | null; to: string },
): boolean => {
  if (readSetting(writer.db, name) !== from) return false
  setSetting(writer, { name, value: to })
  return true
}

/** Writes a different value each time: only a write that reaches the disk shows that the next one can. */
export const ping = (writer: Writer): void => setSetting(writer, { name: 'last_ping', value: String(writer.now) })
