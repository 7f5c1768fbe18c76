import { toTimestamp } from '../../kernel/clock.ts'
import { MillraceError } from '../../kernel/errors.ts'
import { quarantineOf } from '../../model/data-source.ts'
import { quoteText } from '../../warehouse/quote-text.ts'
import type { Data } from '../data.ts'
import { getDataSource } from './data-sources.ts'
import { QUARANTINE_NUMBER, qualified } from './table-ddl.ts'
import { tableFigures } from './table-figures.ts'
import { withTableLock } from './with-table-lock.ts'

export type QuarantineRow = Readonly<Record<string, unknown>>
export type QuarantinePage = { readonly rows: readonly QuarantineRow[]; readonly nextCursor: string | null }

type PageInput = { readonly limit: number; readonly cursor: string | null }

/** The most bytes of one page, without its last row: lines that cannot be parsed may be long. */
const MOST_BYTES = 8_000_000

/**
 * Rows that did not fit a data source, newest first: all columns as text, and what was wrong. A page may be shorter than `limit` although there is a next one.
 * Throws `not_found`, `invalid_cursor`; `WarehouseError`.
 */
export const listQuarantine = async (
  data: Data,
  workspace: string,
  name: string,
  { limit, cursor }: PageInput,
): Promise<QuarantinePage> => {
  const place = cursor === null ? START : readCursor(cursor)
  const dataSource = await getDataSource(data, workspace, name)
  if ((await countQuarantine(data, workspace, dataSource.name)) === 0) return { rows: [], nextCursor: null }
  const { warehouse } = data
  const found = await warehouse.rows<FoundRow>({
    workspace,
    sql: pageSql(qualified(warehouse.database(workspace), quarantineOf(dataSource.name))),
    parameters: { ...place, limit: limit + 1, bytes: MOST_BYTES },
  })
  const given = found.slice(0, limit)
  const hasMore = Number(found[0]?.found ?? 0) > given.length
  return { rows: given.map(toRow), nextCursor: hasMore ? cursorAfter(given.at(-1)!) : null }
}

/** Throws `not_found`. */
export const countQuarantine = async (data: Data, workspace: string, name: string): Promise<number> => {
  const dataSource = await getDataSource(data, workspace, name)
  await data.ready(workspace)
  const [figures] = await tableFigures(data, workspace, [quarantineOf(dataSource.name)])
  return figures?.rowCount ?? 0
}

/**
 * Removes quarantined rows: all, or those of one import. A delete of some is finished by the engine if the server dies. Throws `not_found`, `data_busy`.
 */
export const clearQuarantine = async (
  data: Data,
  workspace: string,
  name: string,
  importId: string | null,
): Promise<void> => {
  await data.ready(workspace)
  const dataSource = await getDataSource(data, workspace, name)
  const { warehouse } = data
  const quarantine = quarantineOf(dataSource.name)
  const table = qualified(warehouse.database(workspace), quarantine)
  await withTableLock(data, workspace, [dataSource.name], async () => {
    if ((await tableFigures(data, workspace, [quarantine])).length === 0) return
    const sql =
      importId === null
        ? `TRUNCATE TABLE ${table} SYNC`
        : `ALTER TABLE ${table} DELETE WHERE c__import_id = ${quoteText(importId)}`
    await warehouse.command({ workspace, sql, settings: { mutations_sync: 1 } })
  })
}

type FoundRow = {
  /** As JSON, because columns may have any name, including those used in this statement. */
  readonly row: string
  readonly at: number
  /** A UInt64. */
  readonly number: string
  /** Rows of the page before the limit on bytes applies. */
  readonly found: string
}

/**
 * The innermost SELECT reads the table in key order from the cursor on, and only as much as a page needs. It adds a column of ours to columns of any name; ours
 * contains a tab, which other names may not.
 */
const pageSql = (table: string): string => `
  SELECT row, at, number, found FROM (
    SELECT *, count() OVER () AS found, sum(length(row)) OVER (
      ORDER BY at DESC, number DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM (
      SELECT formatRowNoNewline('JSONEachRow', * EXCEPT \`\tnumber\`) AS row, toUnixTimestamp(insertion_date) AS at,
        \`\tnumber\` AS number
      FROM (
        SELECT *, ${QUARANTINE_NUMBER} AS \`\tnumber\` FROM ${table}
        WHERE insertion_date <= toDateTime({at:UInt32})
          AND (insertion_date < toDateTime({at:UInt32}) OR ${QUARANTINE_NUMBER} < {number:UInt64})
        ORDER BY insertion_date DESC, ${QUARANTINE_NUMBER} DESC LIMIT {limit:UInt32})))
  WHERE before <= {bytes:UInt64} ORDER BY at DESC, number DESC`

const toRow = ({ row, at }: FoundRow): QuarantineRow => ({
  ...(JSON.parse(row) as QuarantineRow),
  insertion_date: toTimestamp(at * 1000),
})

/** The last row before the page. */
type Place = Pick<FoundRow, 'at' | 'number'>

/** Newer than every row. */
const START: Place = { at: 2 ** 32 - 1, number: String(2n ** 64n - 1n) }

const cursorAfter = ({ at, number }: Place): string => Buffer.from(JSON.stringify([at, number])).toString('base64url')

const readCursor = (cursor: string): Place => {
  try {
    const [at, number] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    if (isMoment(at) && isNumber(number)) return { at, number }
  } catch {
    // Reported below.
  }
  throw new MillraceError('invalid_cursor')
}

const isMoment = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 32
const isNumber = (value: unknown): value is string =>
  typeof value === 'string' && /^\d{1,20}$/.test(value) && BigInt(value) < 2n ** 64n
