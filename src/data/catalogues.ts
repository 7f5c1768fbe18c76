import { type Catalogue, EMPTY_CATALOGUE } from '../model/catalogue.ts'
import type { DataStore } from '../store/data-store.ts'

/** Reads catalogues; one that has not changed is not sent again. */
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
