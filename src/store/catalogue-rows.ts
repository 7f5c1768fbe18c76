import type { Catalogue, CatalogueChange } from '../model/catalogue.ts'
import type { DataSource } from '../model/data-source.ts'
import type { Pipe } from '../model/pipe.ts'

/** A data source or a pipe as both databases store it. `document` is JSON text. */
export type CatalogueEntry = {
  readonly id: string
  readonly type: 'data_source' | 'pipe'
  readonly name: string
  readonly document: string
}

/** The net effect of successive changes: ids whose entries are deleted, and the entries that replace them. */
export type FoldedChanges = { readonly ids: readonly string[]; readonly entries: readonly CatalogueEntry[] }

/** Applied at once, so that two entries can swap names. */
export const foldChanges = (changes: readonly CatalogueChange[]): FoldedChanges => {
  const last = new Map<string, CatalogueEntry | null>()
  for (const change of changes) {
    const entry = entryOf(change)
    last.set(typeof entry === 'string' ? entry : entry.id, typeof entry === 'string' ? null : entry)
  }
  return { ids: [...last.keys()], entries: [...last.values()].filter(entry => entry !== null) }
}

/** The entry to store, or the id of the one to drop. */
const entryOf = (change: CatalogueChange): CatalogueEntry | string => {
  if (change.type === 'put_data_source') return toEntry('data_source', change.dataSource)
  if (change.type === 'put_pipe') return toEntry('pipe', change.pipe)
  return change.id
}

const toEntry = (type: CatalogueEntry['type'], document: DataSource | Pipe): CatalogueEntry => ({
  id: document.id,
  type,
  name: document.name,
  document: JSON.stringify(document),
})

/** Entries in name order. */
export const toCatalogue = (
  version: number,
  entries: readonly Pick<CatalogueEntry, 'type' | 'document'>[],
): Catalogue => ({
  version,
  dataSources: entries.flatMap(({ type, document }) => (type === 'data_source' ? JSON.parse(document) : [])),
  pipes: entries.flatMap(({ type, document }) => (type === 'pipe' ? JSON.parse(document) : [])),
})
