/** A table of a workspace in the warehouse. Times are epoch ms. */
export type DataSource = {
  /** `t_` and 32 hex digits: a UUIDv7 without dashes. */
  readonly id: string
  /** Also the table's name in the live database of the workspace. */
  readonly name: string
  readonly description: string | null
  readonly columns: readonly Column[]
  /** A MergeTree of ClickHouse with its arguments: `MergeTree`, `ReplacingMergeTree(version)`. */
  readonly engine: string
  /** Expressions in ClickHouse's SQL, as the guard let them through; null: none. */
  readonly sortingKey: string | null
  readonly partitionKey: string | null
  readonly ttl: string | null
  /** The format it was last filled from; null: none yet. */
  readonly format: DataFormat | null
  readonly createdAt: number
  readonly updatedAt: number
}

export type Column = {
  readonly name: string
  /** In ClickHouse's words: `Nullable(Int32)`, `AggregateFunction(sum, Float64)`. */
  readonly type: string
  /** Where an NDJSON object has its value (`$.user.id`); null: under its name. */
  readonly jsonPath: string | null
}

/** What rows may come as. */
export const DATA_FORMATS = ['csv', 'ndjson', 'parquet'] as const
export type DataFormat = (typeof DATA_FORMATS)[number]

/** How rows join those that are there: beside them or instead of them. */
export const WRITE_MODES = ['append', 'replace'] as const
export type WriteMode = (typeof WRITE_MODES)[number]

type Engine = Pick<DataSource, 'engine'>

/** Whether rows of one key become one when the engine merges them; which of them stays may depend on the order in which they were written. */
export const mergesRows = ({ engine }: Engine): boolean => !engine.startsWith('MergeTree')

/** Whether of rows of one key the last one stays, or takes back the one before it. */
export const goesByOrder = ({ engine }: Engine): boolean => /^(Replacing|Coalescing|Collapsing)MergeTree/.test(engine)

/** Where rows are kept that do not fit their data source. */
export const quarantineOf = (name: string): string => `${name}_quarantine`
