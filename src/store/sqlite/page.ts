type Page<Row> = {
  readonly found: readonly Row[]
  /** Where the page after it begins; null: there is none. */
  readonly next: number | null
}

/** A page of rows of which one more was read than it may have, to know whether there are more. */
export const pageOf = <Row>(rows: readonly Row[], limit: number, positionOf: (row: Row) => number): Page<Row> => {
  const found = rows.slice(0, limit)
  return { found, next: rows.length > limit ? positionOf(found.at(-1)!) : null }
}

/** The same out of rows of several stretches of an index, of each as many: the newest of all of them. */
export const newestPage = <Row>(rows: readonly Row[], limit: number, positionOf: (row: Row) => number): Page<Row> =>
  pageOf(
    rows.toSorted((a, b) => positionOf(b) - positionOf(a)),
    limit,
    positionOf,
  )
