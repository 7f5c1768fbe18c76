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
/** The texts and faults (`Judgement`; 0 if a value fits) of a bad row, in the order of the columns; of all other rows, nothing, so that they need no memory. */
const judgedTexts = '\ttexts'
const TEXTS_COLUMN = quoteIdentifier(judgedTexts)
const judgedFaults = '\tfaults'
const FAULTS_COLUMN = quoteIdentifier(judgedFaults)
const judgedValue = (index: number): string => `\tvalue${index}`

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
    columns: [judgedState, judgedTexts, judgedFaults, ...judged.map((_, index) => judgedValue(index))],
    select: selectJudged(reader, judged),
    timesRead: 1 + handOn.length,
  })
  return readCounts(split, names)
}

const SPLIT_SETTINGS = {
  parallel_view_processing: 1,
  // Otherwise the texts and faults of all rows would be put into arrays.
  short_circuit_function_evaluation: 'force_enable',
}

const tables = ({ judged: table, counts }: Names, judged: readonly JudgedColumn[]): readonly string[] => {
  const columns = [
    `${STATE_COLUMN} UInt8`,
    `${TEXTS_COLUMN} Array(Nullable(String))`,
    `${FAULTS_COLUMN} Array(UInt8)`,
    ...judged.map(({ read }, index) => `${quoteIdentifier(judgedValue(index))} ${read.type}`),
  ]
  return [
    `CREATE TABLE ${table} (${columns.join(', ')}) ENGINE = Null`,
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
  // Named, because it is used twice and a statement for many columns takes the engine long to analyse.
  const isBad = (index: number): string => quoteIdentifier(`\tbad${index}`)
  const named = judged.map((column, index) => ({ shared: [...column.shared, `${column.isBad} AS ${isBad(index)}`] }))
  const areBad = judged.map((_, index) => isBad(index)).join(' OR ')
  const state = `multiIf(${reader.isBlank}, ${STATE.blank}, ${reader.isRagged}, ${STATE.ragged}, ${areBad}, ${STATE.bad}, ${STATE.good})`
  const texts = judged.map(({ read }) => `CAST(${read.text}, 'Nullable(String)')`)
  const faults = judged.map(({ fault }, index) => `if(${isBad(index)}, ${fault}, 0)`)
  const ofBad = (values: readonly string[]): string => `if(${STATE_COLUMN} = ${STATE.bad}, [${values.join(', ')}], [])`
  return `${withShared(named)}SELECT ${state} AS ${STATE_COLUMN}, ${ofBad(texts)}, ${ofBad(faults)}, ${judged.map(storedValue).join(', ')}
    FROM ${CONTENT}`
}

const selectQuarantined = (judged: readonly JudgedColumn[]): string => {
  const texts = judged.map(({ read }, index) => {
    const text = `${TEXTS_COLUMN}[${index + 1}]`
    return `${shownText(text)} AS ${quoteIdentifier(read.column.name)}`
  })
  const listed = (texts: readonly string[]): string => `[${texts.map(quoteText).join(', ')}]`
  const names = listed(judged.map(({ read }) => read.column.name))
  const complaints = `[${judged.map(column => listed(column.complaints)).join(', ')}]`
  return `SELECT ${texts.join(', ')},
    arrayFilter((name, fault) -> fault != 0, ${names}, ${FAULTS_COLUMN}) AS c__error_column,
    arrayFilter(text -> text != '', arrayMap((texts, fault) -> texts[fault], ${complaints}, ${FAULTS_COLUMN})) AS c__error`
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
