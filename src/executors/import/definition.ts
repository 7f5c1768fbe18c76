import type { FieldError } from '../../kernel/errors.ts'
import { exclusiveKeyOf } from '../data-properties.ts'
import type { KindDefinition } from '../kind-definition.ts'
import { delimiterFault } from './csv/dialect.ts'
import { formatOf, type ImportFields, type ImportSpec, importProperties } from './spec.ts'
import { encodingFault } from './spool/transcode.ts'

/** Kind `import` (`docs/api/import.md`): loads a file into a data source, all or nothing. */
export const importDefinition: KindDefinition = {
  kind: 'import',
  properties: importProperties,
  merges: { environment: false, parameters: false },
  // Fields with KEY or SECRET in their names are secrets: the S3 credentials.
  secretMaps: ['import'],
  timeout: { defaultMs: null, maximumMs: null },
  check: body => [...addressFaults(fieldsOf(body)), ...combinationFaults(fieldsOf(body))],
  furtherRight: {
    scope: 'datasources:write',
    because: 'an import with create makes the data source when it is missing',
    isTaken: body => fieldsOf(body).create === true,
  },
  exclusiveKey: body => exclusiveKeyOf(fieldsOf(body).datasource),
  subjects: body => ({ dataSource: fieldsOf(body).datasource, pipe: null }),
}

const fieldsOf = (body: Readonly<Record<string, unknown>>): ImportFields => (body as ImportSpec).import

const fault = (field: string, message: string): FieldError => ({ path: `import.${field}`, message })

/** Checks only the form. What the URL leads to is checked when it is read. */
const addressFaults = ({ url: text, endpoint }: ImportFields): readonly FieldError[] => {
  const url = URL.parse(text)
  const faults: FieldError[] = []
  if (url === null || !/^(https?|s3|file|upload):$/.test(url.protocol))
    faults.push(fault('url', 'must be a URL of http, https, s3, file or upload'))
  else if (url.protocol === 's3:' && !/^s3:\/\/[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]\/.+/.test(text))
    faults.push(fault('url', 'must be s3://bucket/key'))
  else if (url.protocol === 's3:' && !isEncoded(text))
    faults.push(fault('url', 'has a % that stands for no character: write it %25'))
  if (endpoint !== undefined && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? ''))
    faults.push(fault('endpoint', 'must be an http or https URL'))
  return faults
}

const isEncoded = (text: string): boolean => {
  try {
    return decodeURIComponent(text) !== ''
  } catch {
    return false
  }
}

const combinationFaults = (fields: ImportFields): readonly FieldError[] => {
  const faults: FieldError[] = []
  if (fields.replace_condition !== undefined && fields.mode !== 'replace')
    faults.push(fault('replace_condition', 'needs mode: replace'))
  if ((fields.access_key_id === undefined) !== (fields.secret_access_key === undefined))
    faults.push(fault('access_key_id', 'goes with secret_access_key'))
  if (formatOf(fields) !== 'csv')
    for (const field of ['delimiter', 'quote', 'header', 'skip_lines'] as const)
      if (fields[field] !== undefined) faults.push(fault(field, 'is for format: csv'))
  if (fields.encoding !== undefined) {
    const unknown = formatOf(fields) === 'parquet' ? 'is for text: csv and ndjson' : encodingFault(fields.encoding)
    if (unknown !== null) faults.push(fault('encoding', unknown))
  }
  const { delimiter = ',', quote = '"' } = fields
  const wrong = delimiterFault({ delimiter, quote })
  if (wrong !== null) faults.push(fault('delimiter', wrong))
  return faults
}
