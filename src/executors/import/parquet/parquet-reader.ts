import type { Column, DataSource } from '../../../model/data-source.ts'
import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { readColumnType } from '../load/column-type.ts'
import { isNested } from '../load/judge-nested.ts'
import type { ReadColumn, Reader, Unfit } from '../load/reader.ts'
import type { SpoolPlace } from '../spool/spool-folder.ts'
import { readClock, takesClock } from './clock-column.ts'
import { datesOfDays, hasDates, withDays } from './date-days.ts'
import { isGeometry, readGeometry, withBytes } from './geometry-column.ts'
import type { Leaf } from './leaf-texts.ts'
import { type FileColumn, JSON_AS_TEXT } from './parquet-columns.ts'
import { inWordsOr, unfitIn, unfitTime } from './unfit-value.ts'
import { isZoned, utcText, utcTexts, withUtcTexts } from './utc-texts.ts'

/** A value of the column's own type is taken as it is, any other by way of its text, as every format's. */
export const parquetReader = (
  target: DataSource,
  file: readonly FileColumn[],
  { isLocal }: Pick<SpoolPlace, 'isLocal'>,
): Reader => ({
  format: 'Parquet',
  // What is sent to an engine has to be told.
  structure: isLocal && !file.some(({ type }) => isGeometry(type)) ? null : structureOf(file, withBytes),
  settings: SETTINGS,
  columns: columnsOf(target, file, read),
  isBlank: '0',
  isRagged: '0',
})

const columnsOf = (
  target: DataSource,
  file: readonly FileColumn[],
  read: (column: Column, found: FileColumn) => ReadColumn,
): readonly ReadColumn[] =>
  target.columns.flatMap(column => {
    const found = file.find(({ name }) => name === column.name)
    return found === undefined ? [] : [read(column, found)]
  })

/** Of lists: else what is no number, or infinite, is null in their JSON. */
const SETTINGS = { ...JSON_AS_TEXT, output_format_json_quote_denormals: 1 }

/** Whether a file may have values that end a load with this reader. */
export const mayEndLoad = (file: readonly FileColumn[]): boolean =>
  file.some(({ type }) => hasDates(type) || isGeometry(type))

/** The same for them: dates that the engine has not, and damaged geometries. They do not fit, and cost the others no time where there are none. */
export const anyValueReader = (
  target: DataSource,
  file: readonly FileColumn[],
  place: Pick<SpoolPlace, 'isLocal'>,
): Reader => ({
  ...parquetReader(target, file, place),
  structure: structureOf(file, type => withDays(withBytes(type))),
  settings: { ...SETTINGS, ...MANY_PARTS },
  columns: columnsOf(target, file, readAny),
})

/** The engine's own limit, which is higher, for what has been looked at: else it would make room for a million parts at most. */
const MANY_PARTS = { max_wkb_geometry_elements: 0 }

const readAny = (column: Column, found: FileColumn): ReadColumn => {
  const { type: fileType } = found
  if (isGeometry(fileType)) return readGeometry(column, fileType, 'before')
  const read = readValue(column, found)
  if (!hasDates(fileType)) return read
  const place = quoteIdentifier(column.name)
  if (!isNested(readColumnType(fileType))) return { ...read, text: datesOfDays(fileType, place), asIs: null }
  const texts = (write?: Leaf['write']): string =>
    `toJSONString(${datesOfDays(withUtcTexts(fileType), utcTexts(withDays(fileType), place, write))})`
  const text = isZoned(column.type) ? texts() : `toJSONString(${datesOfDays(fileType, place)})`
  return { ...read, text: showUnfit(read.unfit, () => texts(inWordsOr(timeText(column.type))), text), asIs: null }
}

const read = (column: Column, found: FileColumn): ReadColumn =>
  isGeometry(found.type) ? readGeometry(column, found.type, 'after') : readValue(column, found)

const structureOf = (file: readonly FileColumn[], readAs: (type: string) => string): string =>
  file.map(({ name, type }) => `${quoteIdentifier(name)} ${readAs(type)}`).join(', ')

const readValue = (column: Column, { type: fileType, isClock }: FileColumn): ReadColumn => {
  if (isClock && takesClock(column)) return readClock(column, fileType)
  const { name, type } = column
  const [target, source] = [readColumnType(type), readColumnType(fileType)]
  const place = quoteIdentifier(name)
  const asIs = target.base === source.base && target.base !== 'String' ? place : null
  const unfit = unfitOf(place, source, fileType)
  const text = textOf({ place, type, fileType })
  const inWords = (): string =>
    isNested(source)
      ? `toJSONString(${utcTexts(fileType, place, inWordsOr(timeText(type)))})`
      : unfitTime(fileType, place)
  const shown = showUnfit(unfit, inWords, text)
  return { name, type, column, text: shown, emptyIsNull: false, isUtf8: false, asIs, unfit }
}

/** How a time is written where it is read again, by the column. */
const timeText = (type: string): Leaf['write'] => (isZoned(type) ? utcText : value => `toString(${value})`)

/** SQL: what is shown of a value that the engine has not, instead of the end of its range. */
const showUnfit = (unfit: Unfit | null, inWords: () => string, text: string): string =>
  unfit === null ? text : `if(${unfit.reason}, ${inWords()}, ${text})`

/** Texts are judged by the column: bytes may go into a `FixedString`. */
const unfitOf = (place: string, source: Type, fileType: string): Unfit | null => {
  const isSo = source.base === 'String' ? null : unfitIn(fileType, place)
  if (isSo === null) return null
  const complaint = isNested(source) ? 'a text is not UTF-8, or a time is out of range' : 'it is out of range'
  return { reason: isSo, complaints: [complaint] }
}

type Type = ReturnType<typeof readColumnType>

/** Times say what zone they are of where they are read again in another. */
const textOf = ({ place, type, fileType }: { place: string; type: string; fileType: string }): string => {
  const source = readColumnType(fileType)
  if (source.base === 'String') return place
  if (isNested(source)) return `toJSONString(${isZoned(type) ? utcTexts(fileType, place) : place})`
  if (!source.name.startsWith('DateTime')) return `toString(${place})`
  return isZoned(type) ? utcText(place) : `toString(toTimeZone(${place}, 'UTC'))`
}
