import Type, { type Static } from 'typebox'
import { DATA_FORMATS, type DataFormat } from '../../model/data-source.ts'
import { DELIMITER, MAX_BAD_ROWS, PLAIN_TEXT } from '../../model/patterns.ts'
import { conditionProperty, modeProperty, nameProperty } from '../data-properties.ts'

const text = (maxLength: number, description: string) =>
  Type.String({ minLength: 1, maxLength, pattern: PLAIN_TEXT, description })

const COMPRESSIONS = ['gzip', 'zstd', 'none'] as const
/** Enough for any preamble: a title, a date, an author. */
const MOST_SKIPPED_LINES = 10_000
export type Compression = (typeof COMPRESSIONS)[number]

const Import = Type.Object(
  {
    datasource: nameProperty('Name of the data source to import into.'),
    url: text(4096, 'An http, https or s3 (s3://bucket/key) URL, file if the server allows it, or upload.'),
    format: Type.Optional(
      Type.Unsafe<DataFormat>({
        type: 'string',
        enum: [...DATA_FORMATS],
        description: 'Default: by the extension of the URL, otherwise csv.',
      }),
    ),
    mode: Type.Optional(modeProperty),
    replace_condition: Type.Optional(
      conditionProperty('With mode replace: replace only rows that match this condition. All new rows must match it.'),
    ),
    create: Type.Optional(
      Type.Boolean({
        description: 'Create the data source if it is missing, with a schema inferred from the content.',
      }),
    ),
    delimiter: Type.Optional(
      Type.String({
        pattern: DELIMITER,
        description: 'CSV: one character. Default: as named by a first line such as sep=; or detected from the lines.',
      }),
    ),
    quote: Type.Optional(
      Type.Unsafe<'"' | "'" | ''>({
        type: 'string',
        enum: ['"', "'", ''],
        description: 'CSV: default ", an empty string for none.',
      }),
    ),
    header: Type.Optional(
      Type.Boolean({ description: 'CSV: whether the first line has column names. Default: detected.' }),
    ),
    skip_lines: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MOST_SKIPPED_LINES,
        description:
          'CSV: number of lines to skip before the header or the first row, whatever they contain. Default: 0.',
      }),
    ),
    encoding: Type.Optional(
      text(64, 'CSV and NDJSON: an encoding of the Encoding Standard, such as windows-1252. Default: utf-8.'),
    ),
    compression: Type.Optional(
      Type.Unsafe<Compression>({
        type: 'string',
        enum: [...COMPRESSIONS],
        description: 'Default: by the first bytes of the content.',
      }),
    ),
    type_guessing: Type.Optional(
      Type.Boolean({ description: 'With create: false makes all CSV and NDJSON columns text.' }),
    ),
    max_bad_rows: Type.Optional(
      Type.Union(
        [
          Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
          Type.String({ pattern: MAX_BAD_ROWS, description: 'A count, or a share such as 5%.' }),
        ],
        { description: 'The import fails if more rows are bad. Default: no limit.' },
      ),
    ),
    region: Type.Optional(text(64, 'S3 region. Default: us-east-1.')),
    endpoint: Type.Optional(text(4096, 'URL of an S3-compatible store. Default: AWS.')),
    access_key_id: Type.Optional(text(256, 'S3 access key. Not needed for public objects.')),
    secret_access_key: Type.Optional(text(512, 'S3 secret key. Stored encrypted.')),
  },
  { additionalProperties: false, description: 'Content to import into a data source.' },
)

/** The fields that kind `import` adds to a job body (`docs/api/import.md`). */
export const importProperties = { import: Import } as const

export type ImportFields = Static<typeof Import>
export type ImportSpec = { readonly import: ImportFields }

/** The given format, or the one the URL suggests. */
export const formatOf = ({ format, url }: Pick<ImportFields, 'format' | 'url'>): DataFormat => {
  if (format !== undefined) return format
  const [, extension] = /\.(csv|ndjson|jsonl|json|parquet)(?:\.(?:gz|zst))?(?:[?#]|$)/i.exec(url) ?? []
  if (extension === undefined || /^csv$/i.test(extension)) return 'csv'
  return /^parquet$/i.test(extension) ? 'parquet' : 'ndjson'
}
