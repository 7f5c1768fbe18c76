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

/** Of a hash of 128 bits. */
const HASH_BYTES = 16
/** Those that are longer are not looked at: this process would have to hold one as a whole. */
const MOST_BYTES = 128 * 1024 * 1024

/** Settings with which rows are read. */
export const ROW_BINARY = { default_format: 'RowBinary' }

/** SQL: the hashes and the bytes of geometries whose parts may not end where they do, of one or several columns of bytes. */
export const selectParts = (columns: readonly string[], from: string): string => {
  const each = columns.map(name => `ifNull(${quoteIdentifier(name)}, '')`)
  return `SELECT ${hashOf('wkb')}, wkb FROM (SELECT arrayJoin([${each.join(', ')}]) AS wkb FROM ${from})
    WHERE length(wkb) <= ${MOST_BYTES} AND ${hasParts('wkb')}`
}

/** Each is kept in memory, and one that is damaged takes a few bytes of a file. */
const MOST_DAMAGED = 1_000_000

/** The hashes of those that are damaged, of rows of `selectParts` in `ROW_BINARY`. Throws `ImportFailure` `content_unreadable` where they are too many. */
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
  /** Of bytes. */
  readonly columns: readonly string[]
}

/**
 * Looks at the geometries of spooled content. They are put into staging first, also where the engine could read them out of its file: on another machine it
 * takes content for an insert alone. The name of a table there with the hashes of those that are damaged. Throws `WarehouseError`, and as `damagedAmong`.
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
