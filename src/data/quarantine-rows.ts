import { toTimestamp } from '../kernel/clock.ts'
import { MillraceError } from '../kernel/errors.ts'
import { quarantineOf } from '../model/data-source.ts'
import type { Data } from './data.ts'
import { getDataSource } from './data-sources.ts'
import { qualified } from './table-ddl.ts'
import { tableFigures } from './table-figures.ts'

export type QuarantineRow = Readonly<Record<string, unknown>>
export type QuarantinePage = { readonly rows: readonly QuarantineRow[]; readonly nextCursor: string | null }

type PageInput = { readonly limit: number; readonly cursor: string | null }

/** Rows of one page together, but for the last: lines that cannot be read may be long. */
const MOST_BYTES = 8_000_000

/**
 * Rows that did not fit a data source, newest first: all columns as text, and what was wrong. A page may be shorter than `limit` and still have a
 * next one. Throws `not_found`, `invalid_cursor`; `WarehouseError`.
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
  return { rows: given.map(toRow), nextCursor: hasMore ? cursorAfter(given, place) : null }
}

/** Throws `not_found`. */
export const countQuarantine = async (data: Data, workspace: string, name: string): Promise<number> => {
  const dataSource = await getDataSource(data, workspace, name)
  await data.ready(workspace)
  const [figures] = await tableFigures(data, workspace, [quarantineOf(dataSource.name)])
  return figures?.rowCount ?? 0
}

type FoundRow = {
  /** As JSON: columns may have any name, those of this statement too. */
  readonly row: string
  readonly at: number
  readonly import: string
  readonly hash: string
  /** Rows of the page before bytes were counted. */
  readonly found: string
}

/**
 * The table has no key: rows are told apart by their content, and those that are the same by counting. In the innermost SELECT columns of any name meet
 * names of ours, which no column can have: tabs are refused in them.
 */
const pageSql = (table: string): string => `
  SELECT row, at, import, hash, found FROM (
    SELECT *, count() OVER () AS found, sum(length(row)) OVER (
      ORDER BY at DESC, import DESC, hash DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM (
      SELECT \`\trow\` AS row, \`\tat\` AS at, \`\timport\` AS import, cityHash64(row) AS hash FROM (
        SELECT formatRowNoNewline('JSONEachRow', *) AS \`\trow\`, toUnixTimestamp(insertion_date) AS \`\tat\`,
          c__import_id AS \`\timport\`
        FROM ${table} WHERE insertion_date <= toDateTime({at:UInt32}))
      WHERE at < {at:UInt32} OR import < {import:String} OR (import = {import:String} AND hash <= {hash:UInt64})
      ORDER BY at DESC, import DESC, hash DESC LIMIT {limit:UInt32} OFFSET {skip:UInt32}))
  WHERE before <= {bytes:UInt64} ORDER BY at DESC, import DESC, hash DESC`

const toRow = ({ row, at }: FoundRow): QuarantineRow => ({
  ...(JSON.parse(row) as QuarantineRow),
  insertion_date: toTimestamp(at * 1000),
})

/** From here on, without the first `skip`. */
type Place = { readonly at: number; readonly import: string; readonly hash: string; readonly skip: number }

/** Every row is older. */
const START: Place = { at: 2 ** 32 - 1, import: '', hash: '0', skip: 0 }

const cursorAfter = (given: readonly FoundRow[], before: Place): string => {
  const last = given.at(-1)!
  const isLast = (row: Pick<FoundRow, 'at' | 'import' | 'hash'>): boolean =>
    row.at === last.at && row.import === last.import && row.hash === last.hash
  const skip = given.filter(isLast).length + (isLast(before) ? before.skip : 0)
  return Buffer.from(JSON.stringify([last.at, last.import, last.hash, skip])).toString('base64url')
}

const readCursor = (cursor: string): Place => {
  try {
    const [at, importId, hash, skip] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    if (isCount(at) && isText(importId) && isText(hash) && isHash(hash) && isCount(skip))
      return { at, import: importId, hash, skip }
  } catch {
    // Told below.
  }
  throw new MillraceError('invalid_cursor')
}

const isHash = (text: string): boolean => /^\d{1,20}$/.test(text) && BigInt(text) < 2n ** 64n
const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\u0000')
const isCount = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 32
