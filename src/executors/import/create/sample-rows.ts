import type { Column, DataFormat } from '../../../model/data-source.ts'
import { type JsonPath, jsonPathOf } from '../../../model/json-path.ts'
import type { ImportFields } from '../spec.ts'
import type { Sample } from '../spool/read-sample.ts'
import { readCsv } from './infer-csv.ts'
import { readObjects } from './infer-ndjson.ts'
import { isJsonObject } from './json-number.ts'

/** Values by column name. */
export type SampleRow = Readonly<Record<string, unknown>>

type Input = {
  readonly sample: Sample
  readonly format: Exclude<DataFormat, 'parquet'>
  readonly fields: Pick<ImportFields, 'header' | 'delimiter' | 'quote'>
  readonly columns: readonly Column[]
  readonly most: number
}

/** The first rows, as they are in the content. CSV: texts. NDJSON: the value at each column's path, null if there is none. */
export const sampleRows = ({ sample, format, fields, columns, most }: Input): readonly SampleRow[] =>
  format === 'csv'
    ? readCsv(sample, fields)
        .rows.slice(0, most)
        .map(row => rowOf(columns, (_, index) => row.fields[index]!.text))
    : readObjects(sample)
        .take(most)
        .map(object => rowOf(columns, column => valueAt(object, jsonPathOf(column))))
        .toArray()

const rowOf = (columns: readonly Column[], valueIn: (column: Column, index: number) => unknown): SampleRow =>
  Object.fromEntries(columns.map((column, index) => [column.name, valueIn(column, index)]))

const valueAt = (object: unknown, path: JsonPath): unknown => {
  let value: unknown = object
  for (const key of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, key)) return null
    value = value[key]
  }
  return value
}
