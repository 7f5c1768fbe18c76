import { allEnded } from '../../../kernel/all-ended.ts'
import type { CsvReading } from '../../../model/csv-reading.ts'
import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import type { InvalidLine } from '../sieve/sieve-report.ts'
import type { LoadPlace } from './load-place.ts'

/** The result of a load. */
export type LoadCounts = {
  /** Records, without blank lines. */
  readonly read: number
  readonly written: number
  readonly quarantined: number
  readonly invalid: number
  /** The first invalid lines. */
  readonly samples: readonly InvalidLine[]
  /** CSV only. */
  readonly reading?: CsvReading
}

/** A load into staging, and the quarantine table for rows that do not fit. */
export type ContentLoad = {
  readonly place: LoadPlace
  readonly quarantine: string
  readonly importId: string
  readonly signal: AbortSignal
  /** Resolves when all of the content is in the spool; rejects with what ended it. */
  readonly whole: () => Promise<void>
  /** Whether what is in the spool so far is UTF-8. */
  readonly isUtf8: () => boolean
}

/** Counts the rows of a staged table. */
export const countRows = async ({ statements, database, table }: LoadPlace): Promise<number> => {
  const [row] = await statements.rows<{ count: string }>({
    database,
    sql: `SELECT count() AS count FROM ${quoteIdentifier(table)}`,
  })
  return Number(row!.count)
}

/** Empties the tables, to load the content another way. */
export const startAnew = async ({ place, quarantine }: ContentLoad): Promise<void> => {
  const { statements, database, table } = place
  const empty = (name: string) => statements.command({ database, sql: `TRUNCATE TABLE ${quoteIdentifier(name)} SYNC` })
  await allEnded([table, quarantine].map(empty))
}
