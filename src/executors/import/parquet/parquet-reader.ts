import type { Column, DataSource } from '../../../model/data-source.ts'
import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { readColumnType } from '../load/column-type.ts'
import { isNested } from '../load/judge-nested.ts'
import type { ReadColumn, Reader, Unfit } from '../load/reader.ts'
import type { SpoolPlace } from '../spool/spool-folder.ts'
import { datesOfDays, hasDates, withDays } from './date-days.ts'
import { type FileColumn, JSON_AS_TEXT } from './parquet-columns.ts'
import { unfitIn, unfitTime } from './unfit-value.ts'
import { isZoned, utcText, utcTexts, withUtcTexts } from './utc-texts.ts'

/** A value of the column's own type is taken as it is, any other by way of its text, as every format's. */
export const parquetReader = (
  target: DataSource,
  file: readonly FileColumn[],
  { isLocal }: Pick<SpoolPlace, 'isLocal'>,
): Reader => ({
  format: 'Parquet',
  // What is sent to an engine has to be told.
  structure: isLocal ? null : structureOf(file, type => type),
  settings: SETTINGS,
  columns: target.columns.flatMap(column => {
    const found = file.find(({ name }) => name === column.name)
    return found === undefined ? [] : [read(column, found.type)]
  }),
  isBlank: '0',
  isRagged: '0',
})

/** Of lists: else what is no number, or infinite, is null in their JSON. */
const SETTINGS = { ...JSON_AS_TEXT, output_format_json_quote_denormals: 1 }

/** The same of a file with dates that the engine has not. They do not fit, and cost the others no time where there are none. */
export const anyDateReader = (
  target: DataSource,
  file: readonly FileColumn[],
  place: Pick<SpoolPlace, 'isLocal'>,
): Reader => {
  const reader = parquetReader(target, file, place)
  return {
    ...reader,
    structure: structureOf(file, withDays),
    columns: reader.columns.map(column => {
      const { type } = file.find(({ name }) => name === column.name)!
      if (!hasDates(type)) return column
      const place = quoteIdentifier(column.name)
      if (!isNested(readColumnType(type))) return { ...column, text: datesOfDays(type, place), asIs: null }
      const value = isZoned(column.type)
        ? datesOfDays(withUtcTexts(type), utcTexts(withDays(type), place))
        : datesOfDays(type, place)
      return { ...column, text: `toJSONString(${value})`, asIs: null }
    }),
  }
}

const structureOf = (file: readonly FileColumn[], readAs: (type: string) => string): string =>
  file.map(({ name, type }) => `${quoteIdentifier(name)} ${readAs(type)}`).join(', ')

const read = (column: Column, fileType: string): ReadColumn => {
  const { name, type } = column
  const [target, source] = [readColumnType(type), readColumnType(fileType)]
  const place = quoteIdentifier(name)
  const asIs = target.base === source.base && target.base !== 'String' ? place : null
  const unfit = unfitOf(place, source, fileType)
  const text = textOf({ place, type, fileType })
  const shown = unfit === null || isNested(source) ? text : `if(${unfit.isSo}, ${unfitTime(fileType, place)}, ${text})`
  return { name, type, column, text: shown, emptyIsNull: false, isUtf8: false, asIs, unfit }
}

/** Texts are judged by the column: bytes may go into a `FixedString`. */
const unfitOf = (place: string, source: Type, fileType: string): Unfit | null => {
  const isSo = source.base === 'String' ? null : unfitIn(fileType, place)
  if (isSo === null) return null
  return { isSo, complaint: isNested(source) ? 'a text is not UTF-8, or a time is out of range' : 'it is out of range' }
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
