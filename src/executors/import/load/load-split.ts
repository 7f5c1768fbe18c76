import { allEnded } from '../../../kernel/all-ended.ts'
import { newId } from '../../../kernel/ids.ts'
import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { quoteText } from '../../../warehouse/quote-text.ts'
import { type JudgedColumn, judgeRead, storedValue, withShared } from './judge-read.ts'
import { CONTENT, LONG_STATEMENTS, loadInput } from './load-input.ts'
import type { LoadPlace } from './load-place.ts'
import type { Reader } from './reader.ts'

export type SplitCounts = {
  /** Records of the file that are not blank. */
  readonly read: number
  readonly good: number
  /** In the quarantine table. */
  readonly bad: number
  readonly ragged: number
  /** Not counted as read. */
  readonly blank: number
}

type Split = {
  readonly place: LoadPlace
  readonly quarantine: string
  readonly importId: string
  readonly reader: Reader
}

/** Names for one load, since the same staging may contain earlier loads. Data sources never have such a prefix. Dropped with staging. */
const namesOf = (id: string) => ({
  judged: `stg_judged_${id}`,
  counts: `stg_counts_${id}`,
  goodView: `stg_good_${id}`,
  badView: `stg_bad_${id}`,
  countView: `stg_count_${id}`,
})

type Names = ReturnType<typeof namesOf>

/** Columns of `judged`. The views name theirs after the data source's columns: an equal name here would refer to those aliases. */
const judgedState = '\tstate'
const STATE_COLUMN = quoteIdentifier(judgedState)
/** The texts of a bad row, in the order of the columns; of all other rows, nothing, so that they need no memory. */
const judgedTexts = '\ttexts'
const TEXTS_COLUMN = quoteIdentifier(judgedTexts)
const judgedValue = (index: number): string => `\tvalue${index}`
/** For columns that may have unfit values: the texts do not show those. */
const judgedUnfit = (index: number): string => `\tunfit${index}`

const STATE = { good: 0, bad: 1, ragged: 2, blank: 3 }

/**
 * Loads the rows that fit, puts the others into the quarantine table as text, and counts lines of the wrong shape. Judges every row once, on its way into a
 * table that stores nothing and from which views distribute it. All of it is in staging. Throws `WarehouseError`.
 */
export const loadSplit = async (split: Split): Promise<SplitCounts> => {
  const { place, reader } = split
  const { statements, database } = place
  const judged = reader.columns.map(judgeRead)
  const names = namesOf(newId().replaceAll('-', ''))
  const command = (sql: string) => statements.command({ database, sql, settings: LONG_STATEMENTS })
  const handOn = views(split, names, judged)
  await allEnded(tables(names, judged).map(command))
  await allEnded(handOn.map(command))
  await loadInput({
    ...place,
    table: names.judged,
    reader: { ...reader, settings: { ...reader.settings, ...SPLIT_SETTINGS } },
    columns: [judgedState, judgedTexts, ...judged.flatMap(judgedNames)],
    select: selectJudged(reader, judged),
    timesRead: 1 + handOn.length,
  })
  return readCounts(split, names)
}

const SPLIT_SETTINGS = {
  parallel_view_processing: 1,
  // Otherwise the texts of all rows would be put into arrays.
  short_circuit_function_evaluation: 'force_enable',
}

const judgedNames = ({ read }: JudgedColumn, index: number): readonly string[] => [
  judgedValue(index),
  ...(read.unfit === null ? [] : [judgedUnfit(index)]),
]

const tables = ({ judged: table, counts }: Names, judged: readonly JudgedColumn[]): readonly string[] => {
  const column = (column: JudgedColumn, index: number) => {
    const types = [column.read.type, 'UInt8']
    return judgedNames(column, index)
      .map((name, at) => `${quoteIdentifier(name)} ${types[at]}`)
      .join(', ')
  }
  return [
    `CREATE TABLE ${table} (${STATE_COLUMN} UInt8, ${TEXTS_COLUMN} Array(Nullable(String)), ${judged.map(column).join(', ')}) ENGINE = Null`,
    `CREATE TABLE ${counts} (read UInt64, good UInt64, bad UInt64, ragged UInt64, blank UInt64) ENGINE = Memory`,
  ]
}

const views = (
  { place, quarantine, importId }: Split,
  { judged: table, counts, goodView, badView, countView }: Names,
  judged: readonly JudgedColumn[],
): readonly string[] => {
  const listed = (columns: readonly string[]): string => columns.map(quoteIdentifier).join(', ')
  const own = judged.map(({ read }) => read.column.name)
  const values = own.map((name, index) => `${quoteIdentifier(judgedValue(index))} AS ${quoteIdentifier(name)}`)
  const count = (condition: string, name: string) => `countIf(${STATE_COLUMN} ${condition}) AS ${name}`
  return [
    `CREATE MATERIALIZED VIEW ${goodView} TO ${quoteIdentifier(place.table)} (${listed(own)}) AS
      SELECT ${values.join(', ')} FROM ${table} WHERE ${STATE_COLUMN} = ${STATE.good}`,
    `CREATE MATERIALIZED VIEW ${badView} TO ${quoteIdentifier(quarantine)} (${listed([...own, ...QUARANTINED])}) AS
      ${selectQuarantined(judged)}, ${quoteText(importId)} AS c__import_id, now() AS insertion_date
      FROM ${table} WHERE ${STATE_COLUMN} = ${STATE.bad}`,
    `CREATE MATERIALIZED VIEW ${countView} TO ${counts} (read, good, bad, ragged, blank) AS
      SELECT ${count(`!= ${STATE.blank}`, 'read')}, ${count(`= ${STATE.good}`, 'good')}, ${count(`= ${STATE.bad}`, 'bad')},
        ${count(`= ${STATE.ragged}`, 'ragged')}, ${count(`= ${STATE.blank}`, 'blank')} FROM ${table}`,
  ]
}

const QUARANTINED = ['c__error_column', 'c__error', 'c__import_id', 'insertion_date']

const selectJudged = (reader: Reader, judged: readonly JudgedColumn[]): string => {
  const isBad = judged.map(column => column.isBad).join(' OR ')
  const state = `multiIf(${reader.isBlank}, ${STATE.blank}, ${reader.isRagged}, ${STATE.ragged}, ${isBad}, ${STATE.bad}, ${STATE.good})`
  const texts = `[${judged.map(({ read }) => `CAST(${read.text}, 'Nullable(String)')`).join(', ')}]`
  const values = judged.flatMap(column => {
    const { unfit } = column.read
    return [storedValue(column), ...(unfit === null ? [] : [unfit.reason])]
  })
  return `${withShared(judged)}SELECT ${state} AS ${STATE_COLUMN}, if(${STATE_COLUMN} = ${STATE.bad}, ${texts}, []), ${values.join(', ')}
    FROM ${CONTENT}`
}

/** Judges the texts again to find out what is wrong: only for the few bad rows, not for all. */
const selectQuarantined = (judged: readonly JudgedColumn[]): string => {
  const again = judged.map(({ read }, index) => {
    const text = `${TEXTS_COLUMN}[${index + 1}]`
    const asIs = read.asIs === null ? null : text
    const unfit = read.unfit && { ...read.unfit, reason: quoteIdentifier(judgedUnfit(index)) }
    const column = judgeRead({ ...read, text, asIs, unfit, shared: [] }, index)
    const isBad = quoteIdentifier(`\tbad${index}`)
    return { ...column, isBad, shared: [...column.shared, `${column.isBad} AS ${isBad}`] }
  })
  const listed = (of: (column: JudgedColumn) => string) =>
    `arrayFilter(x -> x != '', [${again.map(column => `if(${column.isBad}, ${of(column)}, '')`).join(', ')}])`
  const texts = again.map(({ read }) => `${shownText(read.text)} AS ${quoteIdentifier(read.column.name)}`)
  return `${withShared(again)}SELECT ${texts.join(', ')},
    ${listed(({ read }) => quoteText(read.column.name))} AS c__error_column, ${listed(({ complaint }) => complaint)} AS c__error`
}

/** Text for the quarantine, whose readers expect UTF-8. */
const shownText = (text: string): string => `if(isValidUTF8(assumeNotNull(${text})), ${text}, toValidUTF8(${text}))`

const readCounts = async ({ place }: Split, { counts }: Names): Promise<SplitCounts> => {
  const { statements, database } = place
  const [row] = await statements.rows<Record<keyof SplitCounts, string>>({
    database,
    sql: `SELECT sum(read) AS read, sum(good) AS good, sum(bad) AS bad, sum(ragged) AS ragged, sum(blank) AS blank FROM ${counts}`,
  })
  const { read = 0, good = 0, bad = 0, ragged = 0, blank = 0 } = row ?? {}
  return {
    read: Number(read),
    good: Number(good),
    bad: Number(bad),
    ragged: Number(ragged),
    blank: Number(blank),
  }
}
