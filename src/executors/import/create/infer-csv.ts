import type { Column } from '../../../model/data-source.ts'
import { dialectOf } from '../csv/dialect.ts'
import { hasHeader } from '../csv/header.ts'
import { readRecords } from '../csv/read-fields.ts'
import { ImportFailure } from '../import-failure.ts'
import type { ImportFields } from '../spec.ts'
import type { Sample } from '../spool/read-sample.ts'
import { guessType } from './guess-type.ts'

/** Columns of what the first MiB looks like. Throws `ImportFailure` where there is nothing to go by. */
export const inferCsv = (sample: Sample, fields: Omit<ImportFields, 'datasource'>): readonly Column[] => {
  const { header, first, rows } = readCsv(sample, fields)
  if (first === undefined)
    throw new ImportFailure(
      'content_unreadable',
      sample.isWhole
        ? 'The content has no rows that a data source could be made of.'
        : 'The first row has more than 1 MiB, which is all that is looked at: check quote, or make the data source first.',
    )
  return first.fields.map(({ text }, index) => ({
    name: header && text !== '' ? text : `column_${index}`,
    type: fields.type_guessing === false ? 'String' : guessType(rows.map(row => row.fields[index]!.text)),
    jsonPath: null,
  }))
}

/** Whether there are names, and the rows that have as many fields as the first record. `first` is missing where there are no records. */
export const readCsv = (sample: Sample, fields: Pick<ImportFields, 'header' | 'delimiter' | 'quote'>) => {
  const records = readRecords(sample, dialectOf(fields))
  const [first] = records
  const header = fields.header ?? hasHeader(records, null)
  const rows = records.slice(header ? 1 : 0).filter(record => record.fields.length === first?.fields.length)
  return { header, first, rows }
}
