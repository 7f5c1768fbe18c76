import type { Column, DataSource } from '../../../model/data-source.ts'
import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { readColumnType } from '../load/column-type.ts'
import { isNested } from '../load/judge-nested.ts'
import type { ReadColumn, Reader, Unfit } from '../load/reader.ts'
import type { SpoolPlace } from '../spool/spool-folder.ts'
import { datesOfDays, hasDates, withDays } from './date-days.ts'
import { type FileColumn, JSON_AS_TEXT } from './parquet-columns.ts'
import { unfitIn, unfitTime } from './unfit-value.ts'

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
      const value = datesOfDays(type, quoteIdentifier(column.name))
      return { ...column, text: isNested(readColumnType(type)) ? `toJSONString(${value})` : value, asIs: null }
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
  const text = textOf(place, target, source)
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

/** Times in the zone in which the text is read again. */
const textOf = (place: string, target: Type, source: Type): string => {
  if (source.base === 'String') return place
  if (isNested(source)) return `toJSONString(${place})`
  if (!source.name.startsWith('DateTime')) return `toString(${place})`
  const zone = target.parts.find(part => part.startsWith("'")) ?? "'UTC'"
  return `toString(toTimeZone(${place}, ${zone}))`
}
