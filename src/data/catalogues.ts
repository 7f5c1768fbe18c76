import { type Catalogue, EMPTY_CATALOGUE } from '../model/catalogue.ts'
import type { DataStore } from '../store/data-store.ts'

/** Reads catalogues. Caches them, so that the store sends one again only if it has changed. */
export const createCatalogues = (store: Pick<DataStore, 'readCatalogue'>) => {
  const known = new Map<string, Catalogue>()
  return {
    read: async (workspace: string): Promise<Catalogue> => {
      const before = known.get(workspace) ?? EMPTY_CATALOGUE
      const changed = await store.readCatalogue({ workspace, knownVersion: before.version })
      if (changed === null) return before
      known.set(workspace, changed)
      return changed
    },
  }
}
