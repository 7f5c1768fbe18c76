type Page<Row> = {
  readonly found: readonly Row[]
  /** Where the next page begins; null: there is none. */
  readonly next: number | null
}

/** Builds a page from rows of which one more than `limit` was read, to know whether there are more. */
export const pageOf = <Row>(rows: readonly Row[], limit: number, positionOf: (row: Row) => number): Page<Row> => {
  const found = rows.slice(0, limit)
  return { found, next: rows.length > limit ? positionOf(found.at(-1)!) : null }
}

/** Like `pageOf`, for rows read from several index stretches, `limit + 1` from each: takes the newest of all. */
export const newestPage = <Row>(rows: readonly Row[], limit: number, positionOf: (row: Row) => number): Page<Row> =>
  pageOf(
    rows.toSorted((a, b) => positionOf(b) - positionOf(a)),
    limit,
    positionOf,
  )
