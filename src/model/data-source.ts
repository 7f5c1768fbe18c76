/** A table of a workspace in the warehouse. Times are epoch ms. */
export type DataSource = {
  /** `t_` and 32 hex digits: a UUIDv7 without dashes. */
  readonly id: string
  /** Also the name of the table in the workspace's live database. */
  readonly name: string
  readonly description: string | null
  readonly columns: readonly Column[]
  /** A ClickHouse MergeTree engine with its arguments: `MergeTree`, `ReplacingMergeTree(version)`. */
  readonly engine: string
  /** Expressions in ClickHouse SQL, as approved by the guard; null: none. */
  readonly sortingKey: string | null
  readonly partitionKey: string | null
  readonly ttl: string | null
  /** The format of the last import into it; null: none yet. */
  readonly format: DataFormat | null
  readonly createdAt: number
  readonly updatedAt: number
}

export type Column = {
  readonly name: string
  /** A ClickHouse type: `Nullable(Int32)`, `AggregateFunction(sum, Float64)`. */
  readonly type: string
  /** The path of its value in an NDJSON object (`$.user.id`); null: a field with its name. */
  readonly jsonPath: string | null
  /** A literal in SQL that takes the place of a missing value; absent: it may not be missing, unless the type is nullable. */
  readonly default?: string
}

/** The formats of imported rows. */
export const DATA_FORMATS = ['csv', 'ndjson', 'parquet'] as const
export type DataFormat = (typeof DATA_FORMATS)[number]

/** Whether new rows are added to the existing ones or replace them. */
export const WRITE_MODES = ['append', 'replace'] as const
export type WriteMode = (typeof WRITE_MODES)[number]

type Engine = Pick<DataSource, 'engine'>

/** Whether merging combines rows with the same key into one. Which one survives may depend on the order in which they were written. */
export const mergesRows = ({ engine }: Engine): boolean => !engine.startsWith('MergeTree')

/** Whether the last of several rows with the same key wins, or cancels the one before it. */
export const goesByOrder = ({ engine }: Engine): boolean => /^(Replacing|Coalescing|Collapsing)MergeTree/.test(engine)

/** The table for rows that do not fit their data source. */
export const quarantineOf = (name: string): string => `${name}_quarantine`
