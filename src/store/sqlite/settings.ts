import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

export const getSetting = ({ db }: Reader, { name }: { name: string }): string | null =>
  db.get<[string]>('SELECT value FROM setting WHERE name = ?', name)?.[0] ?? null

export const setSetting = ({ db }: Writer, { name, value }: { name: string; value: string }): void => {
  db.run('INSERT INTO setting VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value', name, value)
}

/** Something that changes each time: only a write that reaches the disk shows that the next one can. */
export const ping = (writer: Writer): void => setSetting(writer, { name: 'last_ping', value: String(writer.now) })
