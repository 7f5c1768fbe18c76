import type { DataSource } from './data-source.ts'
import type { Pipe } from './pipe.ts'

/**
 * All data sources and pipes of a workspace at one instant, by name; a name is unique among both. Small (hundreds), read and
 * judged whole: what depends on what is a question about all of it. `version` rises with every change, and a change is made only of the version
 * it was judged on.
 */
export type Catalogue = {
  /** 0: nothing was ever made. */
  readonly version: number
  readonly dataSources: readonly DataSource[]
  readonly pipes: readonly Pipe[]
}

/** One step of a change of the catalogue. `put` makes or replaces what has this `id`. */
export type CatalogueChange =
  | { readonly type: 'put_data_source'; readonly dataSource: DataSource }
  | { readonly type: 'drop_data_source'; readonly id: string }
  | { readonly type: 'put_pipe'; readonly pipe: Pipe }
  | { readonly type: 'drop_pipe'; readonly id: string }

export const EMPTY_CATALOGUE: Catalogue = { version: 0, dataSources: [], pipes: [] }
