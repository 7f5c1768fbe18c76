import { shownDelimiter } from '../../../model/csv-reading.ts'
import type { Column } from '../../../model/data-source.ts'
import { countedColumns } from '../csv/counted-columns.ts'
import { fits, mostFields, refuseRepeated } from '../csv/csv-columns.ts'
import { findDialect } from '../csv/find-dialect.ts'
import { columnName, hasHeader, headerNames } from '../csv/header.ts'
import { readRecords, type SampleRecord } from '../csv/read-fields.ts'
import { scanRecord } from '../csv/scan-records.ts'
import { separatorLine } from '../csv/separator-line.ts'
import { ImportFailure } from '../import-failure.ts'
import type { ImportFields } from '../spec.ts'
import type { Sample } from '../spool/read-sample.ts'
import { guessType } from './guess-type.ts'

/** Infers columns from the first MiB. Throws `ImportFailure` if there is nothing to infer them from. */
export const inferCsv = (sample: Sample, fields: Omit<ImportFields, 'datasource'>): readonly Column[] => {
  const { header, names, rows, others } = readCsv(sample, fields)
  if (names.length === 0) throw nothingIn(sample, fields)
  refuseRepeated(names)
  if (header && rows.length === 0 && others.length > 0) throw noneFits(names, others)
  return names.map((name, index) => ({
    name,
    type: fields.type_guessing === false ? 'String' : guessType(rows.map(row => row.fields[index]!.text)),
    jsonPath: null,
  }))
}

const nothingIn = ({ bytes, isWhole }: Sample, fields: Parameters<typeof readCsv>[1]): ImportFailure => {
  const dialect = findDialect(fields, bytes)
  const start = separatorLine(bytes)?.length ?? 0
  const { type } = scanRecord(bytes, { start, dialect, isLast: isWhole })
  if (type === 'broken')
    return unreadable(
      `The first line cannot be parsed: something follows a closing quote (${dialect.quote}), with the delimiter ${shownDelimiter(dialect.delimiter)}. Set delimiter or quote.`,
    )
  return unreadable(
    isWhole
      ? 'The content has no rows to create a data source from.'
      : 'The first row has more than 1 MiB, which is all that is looked at: check quote, or make the data source first.',
  )
}

const unreadable = (message: string): ImportFailure => new ImportFailure('content_unreadable', message)

/** Nobody wants a data source whose rows are all invalid lines. */
const noneFits = (names: readonly string[], [second]: readonly SampleRecord[]): ImportFailure =>
  unreadable(
    `The first line has ${countedColumns(names.length)}, and no line below it has as many: the next has ${second!.fields.length}. Say delimiter, header: false if the first line has no names, or skip_lines for lines above them.`,
  )

/**
 * Whether there is a header, the column names (none if there are no records), and the other records: rows with a value for each column, and those of other
 * shapes.
 */
export const readCsv = (sample: Sample, fields: Pick<ImportFields, 'header' | 'delimiter' | 'quote'>) => {
  const records = readRecords(sample, findDialect(fields, sample.bytes))
  const [first] = records
  if (first === undefined) return { header: fields.header ?? false, names: [], rows: [], others: [] }
  const header = fields.header ?? hasHeader(records, null)
  if (!header) return readRows(records)
  const names = headerNames(records, null)
  return { header, names, ...partRows(names.length, records.slice(1), records) }
}

/** For content without a header. Skips a first line unlike all others, if those agree. */
const readRows = (records: readonly SampleRecord[]) => {
  const read = (from: number) => {
    const shape = records.slice(from)
    const names = shape[0]!.fields.map((_, index) => columnName(index))
    return { header: false, names, ...partRows(names.length, records, shape) }
  }
  const asFirst = read(0)
  if (records.length < 3 || asFirst.rows.length > 1) return asFirst
  const asSecond = read(1)
  return asSecond.rows.length > records.length / 2 ? asSecond : asFirst
}

const partRows = (columns: number, records: readonly SampleRecord[], shape: readonly SampleRecord[]) => {
  const most = mostFields(columns, shape)
  const isRow = ({ fields }: SampleRecord): boolean => fields.length <= most && fits(fields, columns)
  return { rows: records.filter(isRow), others: records.filter(record => !isRow(record)) }
}
