import type { DataSource } from '../../../model/data-source.ts'
import { checkFileColumns, mismatch, shown } from '../load/file-columns.ts'
import type { SampleRecord } from './read-fields.ts'

/** Names of the columns of a file, in its order. Throws `ImportFailure` `schema_mismatch` where the data source cannot take them. */
export const csvColumns = (
  records: readonly SampleRecord[],
  header: boolean,
  target: DataSource,
): readonly string[] => {
  const [first] = records
  const columns = target.columns.map(({ name }) => name)
  if (!header) {
    const found = first?.fields.length ?? columns.length
    if (found !== columns.length)
      throw mismatch(
        `The first line has ${found} columns, ${target.name} has ${columns.length}: ${columns.join(', ')}.`,
      )
    return columns
  }
  const names = first!.fields.map(({ text }) => text)
  const repeated = names.filter((name, index) => names.indexOf(name) !== index)
  if (repeated.length > 0)
    throw mismatch(`The file has columns twice: ${[...new Set(repeated)].map(shown).join(', ')}.`)
  checkFileColumns(target, names)
  return names
}
