import type { Column, DataSource } from '../../../model/data-source.ts'
import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { readColumnType } from '../load/column-type.ts'
import { isNested } from '../load/judge-nested.ts'
import type { ReadColumn, Reader, Unfit } from '../load/reader.ts'
import type { SpoolPlace } from '../spool/spool-folder.ts'
import { readClock, takesClock } from './clock-column.ts'
import { CLOCKS, hasClocks } from './clock-texts.ts'
import { convertedValue } from './converted-value.ts'
import { DATES, hasDates } from './date-days.ts'
import { isGeometry, readGeometry } from './geometry-column.ts'
import { int96Text } from './int96-text.ts'
import { anyLeaf, hasLeaves, type Leaf, leafTexts } from './leaf-texts.ts'
import { type FileColumn, JSON_AS_TEXT } from './parquet-columns.ts'
import { readAnyAs, readAs } from './read-as.ts'
import type { WkbLook } from './read-wkb.ts'
import { inWordsOr, unfitIn } from './unfit-value.ts'
import { isZoned, TIMES, utcText } from './utc-texts.ts'

/** Takes a value of the column's own type as it is, and any other via its text, as in every format. */
export const parquetReader = (
  target: DataSource,
  file: readonly FileColumn[],
  { isLocal }: Pick<SpoolPlace, 'isLocal'>,
): Reader => ({
  format: 'Parquet',
  // A remote engine needs it.
  structure: isLocal && !file.some(({ type }) => isGeometry(type)) ? null : structureOf(file, readAs),
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
  target.columns.flatMap((column, index) => {
    const found = file.find(({ name }) => name === column.name)
    return found === undefined ? [] : [withNamedText(read(column, found), index)]
  })

/** Names a text that is used many times, because the engine takes long to analyse a long statement. */
const withNamedText = (read: ReadColumn, index: number): ReadColumn => {
  const text = quoteIdentifier(`\ttext${index}`)
  return { ...read, text, shared: [...(read.shared ?? []), `${read.text} AS ${text}`] }
}

/** All rows are read. The engine would trust a wrong index of their positions, and PREWHERE would read only the columns of conditions first. */
const ALL_ROWS = { input_format_parquet_use_offset_index: 0, optimize_move_to_prewhere: 0 }

/** In lists: otherwise NaN and infinity are null in their JSON. */
const SETTINGS = { ...JSON_AS_TEXT, ...ALL_ROWS, output_format_json_quote_denormals: 1 }

/** Whether a file may have values that abort a load with `parquetReader`. */
export const mayEndLoad = (file: readonly FileColumn[]): boolean =>
  file.some(({ type, isInt96 }) => hasDates(type) || isGeometry(type) || isInt96)

/**
 * Same, for files with dates out of the engine's range or damaged geometries: those do not fit, instead of aborting the load. Separate, because it is slower.
 */
export const anyValueReader = (
  target: DataSource,
  file: readonly FileColumn[],
  place: Pick<SpoolPlace, 'isLocal'>,
  look: WkbLook,
): Reader => ({
  ...parquetReader(target, file, place),
  structure: structureOf(file, readAnyAs),
  settings: { ...SETTINGS, ...MANY_PARTS },
  columns: columnsOf(target, file, (column, found) => readAny(column, found, look)),
})

/** 0: the engine's built-in limit, which is higher than its default of a million parts. Safe, since the geometries were checked. */
const MANY_PARTS = { max_wkb_geometry_elements: 0 }

const readAny = (column: Column, found: FileColumn, look: WkbLook): ReadColumn => {
  const { type: fileType } = found
  if (isGeometry(fileType)) return readGeometry(column, fileType, look)
  const read = readValue(column, found)
  if (found.isInt96) return { ...read, text: readInt96(column), asIs: null, converted: null }
  if (!hasDates(fileType)) return read
  const shown = textsOf({ place: quoteIdentifier(column.name), type: column.type, fileType, more: [DATES] })
  return { ...read, text: showUnfit(read.unfit, shown), asIs: null, converted: null }
}

const readInt96 = ({ name, type }: Column): string => {
  const text = int96Text(quoteIdentifier(name))
  return isZoned(type) ? `concat(${text}, 'Z')` : text
}

const read = (column: Column, found: FileColumn): ReadColumn =>
  isGeometry(found.type) ? readGeometry(column, found.type, 'after') : readValue(column, found)

const structureOf = (file: readonly FileColumn[], typeOf: (column: FileColumn) => string): string =>
  file.map(column => `${quoteIdentifier(column.name)} ${typeOf(column)}`).join(', ')

const readValue = (column: Column, { type: fileType }: FileColumn): ReadColumn => {
  const { name, type } = column
  const [target, source] = [readColumnType(type), readColumnType(fileType)]
  if (source.name === 'Time64' && takesClock(column)) return readClock(column, fileType)
  const place = quoteIdentifier(name)
  const asIs = target.base === source.base && target.base !== 'String' && !hasClocks(fileType) ? place : null
  const unfit = unfitOf(place, source, fileType)
  const text = showUnfit(unfit, textsOf({ place, type, fileType, more: [] }))
  const converted = asIs === null ? convertedValue(place, source, target) : null
  return { name, type, column, text, emptyIsNull: false, isUtf8: false, asIs, converted, unfit }
}

/** SQL: the text of a value, and the text of one that contains something out of the engine's range, which would otherwise be shown as the end of that range. */
type Texts = { readonly fine: string; readonly unfit: string }

const showUnfit = (unfit: Unfit | null, texts: Texts): string =>
  unfit === null ? texts.fine : `if(${unfit.reason}, ${texts.unfit}, ${texts.fine})`

/** The column judges texts: a `FixedString` may hold any bytes. */
const unfitOf = (place: string, source: Type, fileType: string): Unfit | null => {
  const isSo = source.base === 'String' ? null : unfitIn(fileType, place)
  if (isSo === null) return null
  const complaint = isNested(source) ? 'a text is not UTF-8, or a time is out of range' : 'it is out of range'
  return { reason: isSo, complaints: [complaint] }
}

type Type = ReturnType<typeof readColumnType>

type Shown = {
  readonly place: string
  /** The column's type. */
  readonly type: string
  readonly fileType: string
  /** What else is read as another type than its own. */
  readonly more: readonly Leaf[]
}

/** Times include their zone if they are read again in another. */
const textsOf = ({ place, type, fileType, more }: Shown): Texts => {
  const write: Leaf['write'] = isZoned(type) ? utcText : time => `toString(${time})`
  const written = (leaves: readonly Leaf[]): string => leafTexts(anyLeaf(leaves), fileType, place)
  const [always, inWords] = [[CLOCKS, ...more], { ...TIMES, write: inWordsOr(write) }]
  if (isNested(readColumnType(fileType))) {
    const fine = written(isZoned(type) ? [...always, TIMES] : always)
    return { fine: `toJSONString(${fine})`, unfit: `toJSONString(${written([...always, inWords])})` }
  }
  const leaves = [...always, { ...TIMES, write }]
  if (!hasLeaves(anyLeaf(leaves), fileType)) return plainText(place, fileType)
  return { fine: written(leaves), unfit: written([...always, inWords]) }
}

const plainText = (place: string, fileType: string): Texts => {
  const text = readColumnType(fileType).base === 'String' ? place : `toString(${place})`
  return { fine: text, unfit: text }
}
