import { formatOf as formatOfAddress } from '../../executors/import/spec.ts'
import { MillraceError } from '../../kernel/errors.ts'
import type { ContentPart } from './receive-import.ts'

/** The validated query of an upload. */
export type ImportFields = {
  readonly max_bad_rows?: string
  readonly name?: string
  readonly queue?: string
  readonly timeout_seconds?: number
  readonly [field: string]: unknown
}

type Headers = { readonly 'content-type'?: string | undefined; readonly 'content-encoding'?: string | undefined }

type Import = {
  readonly datasource: string
  readonly url: string
  readonly query: ImportFields
  readonly headers: Headers
  /** The part of a multipart body. */
  readonly part?: ContentPart | null
}

/** The job body for an upload. Throws `unsupported_media_type`. */
export const importBody = ({ datasource, url, query, headers, part }: Import) => {
  const { name, queue, timeout_seconds, max_bad_rows, ...fields } = query
  return {
    import: {
      datasource,
      url,
      ...formatOfName(part?.filename),
      ...formatOf(part?.type ?? headers['content-type']),
      ...compressionOf(headers['content-encoding']),
      ...fields,
      ...(max_bad_rows !== undefined && { max_bad_rows: countOrShare(max_bad_rows) }),
    },
    ...(name !== undefined && { name }),
    ...(queue !== undefined && { queue }),
    ...(timeout_seconds !== undefined && { timeout_seconds }),
  }
}

const countOrShare = (text: string): number | string => (/^\d{1,15}$/.test(text) ? Number(text) : text)

/** According to RFC 7111, RFC 8259, the NDJSON specification and IANA's list. For other types the job's default applies. */
const FORMATS: Readonly<Record<string, string>> = {
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
  'application/json': 'ndjson',
  'application/vnd.apache.parquet': 'parquet',
}

const formatOf = (type = '') => {
  const [media, ...parameters] = type.split(';')
  const format = FORMATS[media!.trim().toLowerCase()]
  if (format === undefined) return {}
  const [, charset] = /^\s*charset\s*=\s*"?([^"]*?)"?\s*$/im.exec(parameters.join('\n')) ?? []
  return charset === undefined || format === 'parquet' || /^utf-?8$/i.test(charset)
    ? { format }
    : { format, encoding: charset }
}

/** By its extension, as for a URL. */
const formatOfName = (filename = '') => {
  const format = formatOfAddress({ url: filename })
  return format === 'csv' ? {} : { format }
}

const compressionOf = (encoding = 'identity') => {
  if (encoding === 'identity') return {}
  if (encoding === 'gzip' || encoding === 'zstd') return { compression: encoding }
  throw new MillraceError('unsupported_media_type', 'Content-Encoding may be gzip or zstd.')
}
