import type { FastifyRequest } from 'fastify'
import { createDataSource, getDataSource } from '../../../data/data-sources.ts'
import { requireScope } from '../../../engine/submit.ts'
import { MillraceError } from '../../../kernel/errors.ts'
import { findDataSource } from '../../../model/catalogue-graph.ts'
import { DATA_FORMATS, type DataSource } from '../../../model/data-source.ts'
import { readSchemaText } from '../../../model/schema-text.ts'
import { invalid } from '../../problem.ts'
import type { Services } from '../../services.ts'
import { choiceField, type FieldValues, flagField, textField } from './fields.ts'
import { createStart } from './start-job.ts'

export const IMPORT_FIELDS = {
  name: textField('Of the data source; made from the URL when it is to be created.'),
  mode: choiceField(['create', 'append', 'replace'], 'create when absent.'),
  url: textField('Where the rows are.'),
  format: choiceField(DATA_FORMATS, 'csv when absent, and the URL does not end with another.'),
  schema: textField('Columns of a new data source: "id Int32, name String".'),
  type_guessing: flagField('false: all columns of a new data source are text.'),
  dialect_delimiter: textField('Between the values of a CSV line.'),
  replace_condition: textField('Only rows for which it holds are replaced.'),
} as const

export type ImportFields = FieldValues<typeof IMPORT_FIELDS>

/** Starts the import that a request asks for. */
export const createImport = (services: Services) => {
  const { data } = services
  const { start } = createStart(services)
  return async (request: FastifyRequest, fields: ImportFields & { readonly url: string }) => {
    const { workspace } = request.caller
    const { url, mode = 'create', schema } = fields
    const name = fields.name ?? nameOf(url, mode)
    if (mode === 'create' && schema !== undefined) await createFromText(services, request, { name, schema })
    else if (mode === 'create') await refuseTaken(services, workspace, name)
    const datasource = mode === 'create' ? name : (await getDataSource(data, workspace, name)).name
    return start(request, { import: { ...bodyOf(fields), datasource, create: mode === 'create' } })
  }
}

const bodyOf = (fields: ImportFields & { readonly url: string }) => ({
  url: fields.url,
  format: fields.format ?? formatOf(fields.url),
  mode: fields.mode === 'replace' ? 'replace' : 'append',
  ...(fields.type_guessing !== undefined && { type_guessing: fields.type_guessing }),
  ...(fields.dialect_delimiter !== undefined && { delimiter: fields.dialect_delimiter }),
  ...(fields.replace_condition !== undefined && { replace_condition: fields.replace_condition }),
})

/** A data source made of `schema`, empty. Throws `forbidden`, and as `createDataSource`. */
export const createFromText = (
  { data }: Services,
  { caller }: FastifyRequest,
  { name, schema }: { readonly name: string; readonly schema: string },
): Promise<DataSource> => {
  requireScope(caller, 'datasources:write')
  const columns = readSchemaText(schema)
  if (typeof columns === 'string') throw invalid([{ path: 'schema', message: columns }])
  return createDataSource(data, caller.workspace, { name, columns })
}

const refuseTaken = async ({ data }: Services, workspace: string, name: string): Promise<void> => {
  if (findDataSource(await data.catalogue(workspace), name) !== undefined)
    throw new MillraceError('data_source_exists', `There is already a data source ${name}: say mode=append or replace.`)
}

/** The last part of the path without what it ends in, as a name. Throws `invalid` where one has to be given. */
const nameOf = (url: string, mode: string): string => {
  if (mode !== 'create') throw invalid([{ path: 'name', message: 'is required: the data source that is there' }])
  const file = URL.canParse(url) ? (new URL(url).pathname.split('/').at(-1) ?? '') : ''
  const name = file.replace(ENDINGS, '').replaceAll(/[^A-Za-z0-9_]+/g, '_')
  if (!/[A-Za-z0-9]/.test(name)) throw invalid([{ path: 'name', message: 'is required: the URL ends with none' }])
  return /^\d/.test(name) ? `_${name}` : name
}

const ENDINGS = /(\.(csv|ndjson|jsonl|json|parquet|gz|zst))+$/i

const formatOf = (url: string): (typeof DATA_FORMATS)[number] => {
  const ending = ENDINGS.exec(URL.canParse(url) ? new URL(url).pathname : '')?.[0].toLowerCase() ?? ''
  if (ending.includes('parquet')) return 'parquet'
  return /ndjson|jsonl/.test(ending) ? 'ndjson' : 'csv'
}
