import type { Catalogue, CatalogueChange } from '../../../model/catalogue.ts'
import { type CatalogueEntry, foldChanges, toCatalogue } from '../../catalogue-rows.ts'
import type { Database } from '../database.ts'
import type { Reader } from '../reader.ts'
import type { Writer } from '../writer.ts'
import { findBusy } from './table-locks.ts'

type EntryRow = [version: number, type: CatalogueEntry['type'] | null, document: string]

/** One statement, so one snapshot. No row: nothing has changed. */
const CATALOGUE_SQL = `SELECT current.version, entry.type, entry.document
  FROM (SELECT coalesce((SELECT version FROM catalogue WHERE workspace = ?1), 0) AS version) AS current
  LEFT JOIN catalogue_entry AS entry ON entry.workspace = ?1
  WHERE current.version IS NOT ?2 ORDER BY entry.name`

export const readCatalogue = (
  { db }: Reader,
  { workspace, knownVersion }: { workspace: string; knownVersion?: number },
): Catalogue | null => {
  const rows = db.all<EntryRow>(CATALOGUE_SQL, workspace, knownVersion ?? null)
  if (rows.length === 0) return null
  const entries = rows.flatMap(([, type, document]) => (type === null ? [] : { type, document }))
  return toCatalogue(rows[0]![0], entries)
}

type Change = {
  readonly workspace: string
  readonly version: number
  readonly changes: readonly CatalogueChange[]
  readonly unlessLocked: readonly string[]
}

export const changeCatalogue = (writer: Writer, { workspace, version, changes, unlessLocked }: Change) => {
  const { db } = writer
  if (readVersion(db, workspace) !== version) return { type: 'stale' } as const
  const busy = findBusy(writer, { workspace, tables: unlessLocked, holder: null })
  if (busy) return { ...busy, type: 'locked' } as const
  const { ids, entries } = foldChanges(changes)
  for (const id of ids) db.run('DELETE FROM catalogue_entry WHERE workspace = ? AND id = ?', workspace, id)
  for (const { id, type, name, document } of entries)
    db.run('INSERT INTO catalogue_entry VALUES (?, ?, ?, ?, ?)', workspace, id, type, name, document)
  db.run(
    'INSERT INTO catalogue VALUES (?, ?) ON CONFLICT DO UPDATE SET version = excluded.version',
    workspace,
    version + 1,
  )
  return { type: 'changed', version: version + 1 } as const
}

const readVersion = (db: Database, workspace: string): number =>
  db.get<[number]>('SELECT version FROM catalogue WHERE workspace = ?', workspace)?.[0] ?? 0
