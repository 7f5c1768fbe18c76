import type { FastifyRequest } from 'fastify'
import { createDataSource } from '../../../data/tables/data-sources.ts'
import { requireScope } from '../../../engine/require-rights.ts'
import { invalidField, MillraceError } from '../../../kernel/errors.ts'
import { findDataSource } from '../../../model/catalogue-graph.ts'
import { DATA_FORMATS, type DataFormat, type DataSource } from '../../../model/data-source.ts'
import { readSchemaText } from '../../../model/schema-text.ts'
import { submitterOf } from '../../auth/submitter.ts'
import { createImportReceiver } from '../../bodies/receive-import.ts'
import type { Services } from '../../services.ts'
import { choiceField, type FieldValues, flagField, textField } from './fields.ts'
import { createStart } from './start-job.ts'

/** The parameters of `POST /datasources`. */
export const IMPORT_FIELDS = {
  name: textField('Name of the data source. When it is created, the default is derived from the URL.'),
  mode: choiceField(['create', 'append', 'replace'], 'Default: create.'),
  url: textField('URL of the rows. Without it they are in the request, or only the schema is used.'),
  format: choiceField(DATA_FORMATS, 'Default: from the URL or the name of the part, otherwise csv.'),
  schema: textField('Columns of a new data source: "id Int32, name String".'),
  type_guessing: flagField('false: all columns of a new data source are text.'),
  dialect_delimiter: textField('CSV delimiter.'),
  replace_condition: textField('Replace only rows that match.'),
} as const

type ImportFields = FieldValues<typeof IMPORT_FIELDS>
type Named = ImportFields & { readonly name: string }

/** Starts imports, from a URL or of content in the request. */
export const createImport = (services: Services) => {
  const { start, answer } = createStart(services)
  const receive = createImportReceiver(services)

  /** Checks the job before a data source is created for it. */
  const check = (request: FastifyRequest, { name, url = 'upload:', ...fields }: Named): void => {
    const body = importBody(fields, { datasource: name, url })
    services.engine.check({ submitter: submitterOf(request), bodies: [body], path: '' })
  }

  return {
    fromUrl: async (request: FastifyRequest, fields: ImportFields & { readonly url: string }) => {
      const name = fields.name ?? nameOf(fields.url, fields.mode)
      check(request, { ...fields, name })
      const datasource = await targetOf(services, request, { ...fields, name })
      return start(request, importBody(fields, { datasource, url: fields.url }))
    },
    ofContent: async (request: FastifyRequest, fields: ImportFields) => {
      refuseKey(request)
      const { name, url } = fields
      if (name === undefined) throw invalidField('name', 'is required, as a query parameter')
      if (url !== undefined) throw invalidField('url', 'cannot be combined with content')
      check(request, { ...fields, name })
      const datasource = await targetOf(services, request, { ...fields, name })
      const { job } = await receive(request, {
        // The name of the part is the format, as in `-F csv=@rows.csv`.
        parts: DATA_FORMATS,
        bodyWith: (url, part) =>
          importBody(
            { ...fields, format: fields.format ?? ((part?.name ?? 'csv') as DataFormat) },
            { datasource, url },
          ),
      })
      return answer(request, job)
    },
  }
}

/** The name of the target data source, created first if `schema` is given. Throws `not_found`, `data_source_exists`. */
const targetOf = async (
  services: Services,
  request: FastifyRequest,
  { name, mode = 'create', schema }: Named,
): Promise<string> => {
  const { workspace } = request.caller
  if (mode === 'create' && schema !== undefined) return (await createFromText(services, request, { name, schema })).name
  const found = findDataSource(await services.data.catalogue(workspace), name)
  if (mode !== 'create') {
    if (found !== undefined) return found.name
    // In Tinybird the data source exists as soon as the call that creates it is answered.
    const advice = 'Import with mode=create first, and wait until that job is done.'
    throw new MillraceError('not_found', `There is no data source ${name}. ${advice}`)
  }
  if (found !== undefined)
    throw new MillraceError('data_source_exists', `There is already a data source ${name}: say mode=append or replace.`)
  return name
}

const importBody = (
  { mode = 'create', ...fields }: ImportFields,
  place: { readonly datasource: string; readonly url: string },
) => ({
  import: {
    ...place,
    mode: mode === 'replace' ? 'replace' : 'append',
    ...(mode === 'create' && { create: true }),
    ...(fields.format !== undefined && { format: fields.format }),
    ...(fields.type_guessing !== undefined && { type_guessing: fields.type_guessing }),
    ...(fields.dialect_delimiter !== undefined && { delimiter: fields.dialect_delimiter }),
    ...(fields.replace_condition !== undefined && { replace_condition: fields.replace_condition }),
  },
})

/** Creates an empty data source from `schema`. Throws `forbidden`, and as `createDataSource` does. */
export const createFromText = (
  { data }: Services,
  { caller }: FastifyRequest,
  { name, schema }: { readonly name: string; readonly schema: string },
): Promise<DataSource> => {
  requireScope(caller, 'datasources:write')
  const columns = readSchemaText(schema)
  if (typeof columns === 'string') throw invalidField('schema', columns)
  return createDataSource(data, caller.workspace, { name, columns })
}

/** Nothing is stored with which repeated content could be compared. */
const refuseKey = ({ headers }: FastifyRequest): void => {
  if (headers['idempotency-key'] !== undefined)
    throw invalidField('Idempotency-Key', 'is not supported for content: send it to /v1/datasources/{name}/import')
}

/** The last segment of the path without its extensions, as a name. Throws `invalid` if a name must be given. */
const nameOf = (url: string, mode = 'create'): string => {
  if (mode !== 'create') throw invalidField('name', 'is required: the name of an existing data source')
  const file = URL.parse(url)?.pathname.split('/').at(-1) ?? ''
  const name = file.replace(/(\.(csv|ndjson|jsonl|json|parquet|gz|zst))+$/i, '').replaceAll(/[^A-Za-z0-9_]+/g, '_')
  if (!/[A-Za-z0-9]/.test(name)) throw invalidField('name', 'is required: the URL does not end with a name')
  return /^\d/.test(name) ? `_${name}` : name
}
