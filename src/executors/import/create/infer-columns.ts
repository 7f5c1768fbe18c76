import type { Column } from '../../../model/data-source.ts'
import { ImportFailure } from '../import-failure.ts'
import type { FileColumn } from '../parquet/parquet-columns.ts'
import { formatOf, type ImportFields } from '../spec.ts'
import type { Sample } from '../spool/read-sample.ts'
import { inferCsv } from './infer-csv.ts'
import { inferNdjson } from './infer-ndjson.ts'

type Input = {
  readonly sample: Sample
  readonly fields: Omit<ImportFields, 'datasource'>
  readonly parquet: () => Promise<readonly FileColumn[]>
}

/** The columns of a data source for the content. Throws `ImportFailure` if there is nothing to infer them from. */
export const inferColumns = async ({ sample, fields, parquet }: Input): Promise<readonly Column[]> => {
  if (sample.size === 0)
    throw new ImportFailure('content_unreadable', 'The content is empty: no data source can be created from it.')
  switch (formatOf(fields)) {
    case 'csv':
      return inferCsv(sample, fields)
    case 'ndjson':
      return inferNdjson(sample, { guessing: fields.type_guessing !== false })
    case 'parquet':
      return (await parquet()).map(({ name, type }) => ({ name, type, jsonPath: null }))
  }
}
