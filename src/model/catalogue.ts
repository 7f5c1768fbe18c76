import type { DataSource } from './data-source.ts'
import type { Pipe } from './pipe.ts'

/**
 * All data sources and pipes of a workspace at one instant. A name is unique among both. Small (hundreds), so it is read and checked as a whole: dependencies
 * concern all of it. Every change raises `version`, and applies only to the version it was checked against.
 */
export type Catalogue = {
  /** 0: nothing was ever created. */
  readonly version: number
  readonly dataSources: readonly DataSource[]
  readonly pipes: readonly Pipe[]
}

/** One step of a change of the catalogue. `put` creates or replaces the object with this `id`. */
export type CatalogueChange =
  | { readonly type: 'put_data_source'; readonly dataSource: DataSource }
  | { readonly type: 'drop_data_source'; readonly id: string }
  | { readonly type: 'put_pipe'; readonly pipe: Pipe }
  | { readonly type: 'drop_pipe'; readonly id: string }

export const EMPTY_CATALOGUE: Catalogue = { version: 0, dataSources: [], pipes: [] }
