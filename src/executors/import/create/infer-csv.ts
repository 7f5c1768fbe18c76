import type { Column } from '../../../model/data-source.ts'
import { mostFields, refuseRepeated } from '../csv/csv-columns.ts'
import { dialectOf } from '../csv/dialect.ts'
import { columnName, hasHeader, headerNames } from '../csv/header.ts'
import { type Field, readRecords } from '../csv/read-fields.ts'
import { ImportFailure } from '../import-failure.ts'
import type { ImportFields } from '../spec.ts'
import type { Sample } from '../spool/read-sample.ts'
import { guessType } from './guess-type.ts'

/** Columns of what the first MiB looks like. Throws `ImportFailure` where there is nothing to go by. */
export const inferCsv = (sample: Sample, fields: Omit<ImportFields, 'datasource'>): readonly Column[] => {
  const { names, rows } = readCsv(sample, fields)
  if (names.length === 0)
    throw new ImportFailure(
      'content_unreadable',
      sample.isWhole
        ? 'The content has no rows that a data source could be made of.'
        : 'The first row has more than 1 MiB, which is all that is looked at: check quote, or make the data source first.',
    )
  refuseRepeated(names)
  return names.map((name, index) => ({
    name,
    type: fields.type_guessing === false ? 'String' : guessType(rows.map(row => row.fields[index]!.text)),
    jsonPath: null,
  }))
}

/** Whether there are names in the content, those that its columns get (none where there are no records), and the rows that have values for all of them. */
export const readCsv = (sample: Sample, fields: Pick<ImportFields, 'header' | 'delimiter' | 'quote'>) => {
  const records = readRecords(sample, dialectOf(fields, sample.bytes))
  const [first] = records
  if (first === undefined) return { header: fields.header ?? false, names: [], rows: [] }
  const header = fields.header ?? hasHeader(records, null)
  const names = header ? headerNames(records, null) : first.fields.map((_, index) => columnName(index))
  const most = mostFields(names.length, records)
  const rows = records
    .slice(header ? 1 : 0)
    .filter(({ fields: row }) => row.length >= names.length && row.length <= most && isEmptyFrom(names.length, row))
  return { header, names, rows }
}

const isEmptyFrom = (place: number, fields: readonly Field[]): boolean =>
  fields.slice(place).every(({ text }) => text === '')
