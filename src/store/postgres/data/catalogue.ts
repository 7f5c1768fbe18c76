import type { Catalogue } from '../../../model/catalogue.ts'
import { type CatalogueEntry, foldChanges, toCatalogue } from '../../catalogue-rows.ts'
import type { DataStore } from '../../data-store.ts'
import { arrayLiteral } from '../array-literal.ts'
import type { Queryable, Statement } from '../database.ts'
import type { Session } from '../session.ts'
import { findBusy, lockWorkspace } from './table-locks.ts'

/** One statement, so one snapshot. No row: nothing has changed. */
const READ: Statement = {
  name: 'read_catalogue',
  text: `
    SELECT known.version, entry.type, entry.document
    FROM (
      SELECT coalesce((SELECT version FROM millrace.catalogue WHERE workspace = $1), 0) AS version
    ) AS known
    LEFT JOIN millrace.catalogue_entry AS entry ON entry.workspace = $1
    WHERE known.version IS DISTINCT FROM $2::integer
    ORDER BY entry.name`,
}

type EntryRow = { readonly version: number; readonly type: CatalogueEntry['type'] | null; readonly document: string }

/** Implements `readCatalogue`. */
export const readCatalogue = async (
  target: Queryable,
  { workspace, knownVersion }: { workspace: string; knownVersion?: number },
): Promise<Catalogue | null> => {
  const rows = await target.query<EntryRow>(READ, [workspace, knownVersion ?? null])
  if (rows.length === 0) return null
  const entries = rows.flatMap(({ type, document }) => (type === null ? [] : { type, document }))
  return toCatalogue(rows[0]!.version, entries)
}

const READ_VERSION: Statement = {
  name: 'read_catalogue_version',
  text: 'SELECT version FROM millrace.catalogue WHERE workspace = $1',
}

const DROP: Statement = {
  name: 'drop_catalogue_entries',
  text: 'DELETE FROM millrace.catalogue_entry WHERE workspace = $1 AND id = ANY ($2::text[])',
}

const PUT: Statement = {
  name: 'put_catalogue_entries',
  text: `
    INSERT INTO millrace.catalogue_entry (workspace, id, type, name, document)
    SELECT $1, e.id, e.type, e.name, e.document
    FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS e (id, type, name, document)`,
}

const SET_VERSION: Statement = {
  name: 'set_catalogue_version',
  text: `
    INSERT INTO millrace.catalogue (workspace, version) VALUES ($1, $2)
    ON CONFLICT (workspace) DO UPDATE SET version = excluded.version`,
}

/** Implements `changeCatalogue`. */
export const changeCatalogue = (
  session: Session,
  { workspace, version, changes, unlessLocked }: Parameters<DataStore['changeCatalogue']>[0],
): ReturnType<DataStore['changeCatalogue']> =>
  session.database.transaction(async connection => {
    const [, [current], busy] = await Promise.all([
      lockWorkspace(connection, workspace),
      connection.query<{ version: number }>(READ_VERSION, [workspace]),
      findBusy(connection, { now: session.now(), workspace, tables: unlessLocked }),
    ])
    if ((current?.version ?? 0) !== version) return { type: 'stale' }
    if (busy) return { type: 'locked', table: busy.table, jobId: busy.jobId }
    const { ids, entries } = foldChanges(changes)
    const column = (of: (entry: CatalogueEntry) => string) => arrayLiteral(entries, of)
    await Promise.all([
      connection.query(DROP, [workspace, arrayLiteral(ids, id => id)]),
      connection.query(PUT, [
        workspace,
        column(entry => entry.id),
        column(entry => entry.type),
        column(entry => entry.name),
        column(entry => entry.document),
      ]),
      connection.query(SET_VERSION, [workspace, version + 1]),
    ])
    return { type: 'changed', version: version + 1 }
  })
