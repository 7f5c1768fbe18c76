import { Readable } from 'node:stream'
import { newId } from '../../../kernel/ids.ts'
import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { ImportFailure } from '../import-failure.ts'
import { CONTENT, loadInput } from '../load/load-input.ts'
import type { LoadPlace } from '../load/load-place.ts'
import type { Reader } from '../load/reader.ts'
import { hashOf, hasParts } from './read-wkb.ts'
import { readKeyedTexts } from './row-binary.ts'
import { isWholeWkb } from './whole-wkb.ts'

/** A hash of 128 bits. */
const HASH_BYTES = 16
/** Longer ones are not checked: this process would have to hold all of one. */
const MOST_BYTES = 128 * 1024 * 1024

/** Settings for reading rows. */
export const ROW_BINARY = { default_format: 'RowBinary' }

/** SQL: the hashes and bytes of geometries with parts, which may not end where the geometry does, from one or several columns of bytes. */
export const selectParts = (columns: readonly string[], from: string): string => {
  const each = columns.map(name => `ifNull(${quoteIdentifier(name)}, '')`)
  return `SELECT ${hashOf('wkb')}, wkb FROM (SELECT arrayJoin([${each.join(', ')}]) AS wkb FROM ${from})
    WHERE length(wkb) <= ${MOST_BYTES} AND ${hasParts('wkb')}`
}

/** All are kept in memory, and a damaged one takes only a few bytes of a file. */
const MOST_DAMAGED = 1_000_000

/** The hashes of the damaged geometries among the rows of `selectParts`, in `ROW_BINARY`. Throws `ImportFailure` `content_unreadable` if there are too many. */
export const damagedAmong = async (answer: AsyncIterable<Uint8Array>): Promise<readonly Buffer[]> => {
  const hashes: Buffer[] = []
  for await (const { key, text } of readKeyedTexts(answer, HASH_BYTES)) {
    if (isWholeWkb(text)) continue
    if (hashes.length === MOST_DAMAGED)
      throw new ImportFailure('content_unreadable', `More than ${MOST_DAMAGED} geometries of the content are damaged.`)
    hashes.push(Buffer.from(key))
  }
  return hashes
}

type Look = {
  readonly place: LoadPlace
  readonly reader: Pick<Reader, 'format' | 'structure' | 'settings'>
  /** Columns of bytes. */
  readonly columns: readonly string[]
}

/**
 * Checks the geometries of spooled content. Returns the name of a staging table with the hashes of the damaged ones. Always loads them into staging first,
 * because a remote engine accepts content only for an insert. Throws `WarehouseError`, and like `damagedAmong`.
 */
export const findDamaged = async ({ place, reader, columns }: Look): Promise<string> => {
  const { statements, database } = place
  const id = newId().replaceAll('-', '')
  const [parts, damaged] = [`stg_parts_${id}`, `stg_damaged_${id}`]
  const command = (sql: string): Promise<void> => statements.command({ database, sql })
  await command(
    `CREATE TABLE ${parts} (hash FixedString(${HASH_BYTES}), wkb String) ENGINE = MergeTree ORDER BY tuple()`,
  )
  await command(`CREATE TABLE ${damaged} (hash FixedString(${HASH_BYTES})) ENGINE = Memory`)
  await loadInput({ ...place, table: parts, reader, columns: ['hash', 'wkb'], select: selectParts(columns, CONTENT) })
  const all = { database, sql: `SELECT hash, wkb FROM ${parts}`, settings: ROW_BINARY }
  const hashes = await statements.stream(all, damagedAmong)
  await command(`DROP TABLE ${parts} SYNC`)
  if (hashes.length > 0)
    await statements.insert({
      database,
      sql: `INSERT INTO ${damaged} FORMAT RowBinary`,
      content: Readable.from(hashes),
    })
  return damaged
}
