import type { Warehouse } from '../../warehouse/warehouse.ts'

export type MatchedTables = {
  /** Runs `match` unless it has succeeded for these tables, this version of the catalogue and this life of the engine. The caller has locked the tables. */
  ensure(workspace: string, version: number, tables: readonly string[], match: () => Promise<void>): Promise<void>
  forget(workspace: string): void
}

/**
 * Remembers which tables are as the catalogue says, since asking the engine before every write costs 6 ms. An interrupted change, also one on another server,
 * has raised the version of the catalogue.
 */
export const createMatchedTables = (warehouse: Pick<Warehouse, 'life'>): MatchedTables => {
  const known = new Map<string, { readonly state: string; readonly tables: Set<string> }>()
  const tablesAt = (workspace: string, state: string): Set<string> => {
    const found = known.get(workspace)
    if (found?.state === state) return found.tables
    const tables = new Set<string>()
    known.set(workspace, { state, tables })
    return tables
  }
  return {
    ensure: async (workspace, version, tables, match) => {
      const matched = tablesAt(workspace, `${warehouse.life(workspace)} ${version}`)
      if (tables.every(table => matched.has(table))) return
      await match()
      for (const table of tables) matched.add(table)
    },
    forget: workspace => void known.delete(workspace),
  }
}
