import Type, { type Static } from 'typebox'
import { DATA_FORMATS, type DataFormat } from '../../model/data-source.ts'
import { DELIMITER, MAX_BAD_ROWS, PLAIN_TEXT } from '../../model/patterns.ts'
import { conditionProperty, modeProperty, nameProperty } from '../data-properties.ts'

const text = (maxLength: number, description: string) =>
  Type.String({ minLength: 1, maxLength, pattern: PLAIN_TEXT, description })

const COMPRESSIONS = ['gzip', 'zstd', 'none'] as const
/** A title, a date, a note of who made it: more than that is no preamble. */
const MOST_SKIPPED_LINES = 10_000
export type Compression = (typeof COMPRESSIONS)[number]

const Import = Type.Object(
  {
    datasource: nameProperty('Name of the data source that the rows go into.'),
    url: text(4096, 'http, https, s3 (s3://bucket/key), file where the server allows it, or upload.'),
    format: Type.Optional(
      Type.Unsafe<DataFormat>({
        type: 'string',
        enum: [...DATA_FORMATS],
        description: 'By the extension of the URL when absent, else csv.',
      }),
    ),
    mode: Type.Optional(modeProperty),
    replace_condition: Type.Optional(
      conditionProperty(
        'With mode replace: only rows for which it holds are replaced, and all new rows must fulfil it.',
      ),
    ),
    create: Type.Optional(
      Type.Boolean({ description: 'Make the data source when it is missing, of what the content looks like.' }),
    ),
    delimiter: Type.Optional(
      Type.String({
        pattern: DELIMITER,
        description: 'Of CSV: one character; when absent what a first line sep=; names, or what the lines look like.',
      }),
    ),
    quote: Type.Optional(
      Type.Unsafe<'"' | "'" | ''>({
        type: 'string',
        enum: ['"', "'", ''],
        description: 'Of CSV; " when absent, an empty text for none.',
      }),
    ),
    header: Type.Optional(
      Type.Boolean({ description: 'Whether the first line of CSV has names; detected when absent.' }),
    ),
    skip_lines: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MOST_SKIPPED_LINES,
        description:
          'Lines of CSV before the header or the first row that are skipped, whatever is in them; 0 when absent.',
      }),
    ),
    encoding: Type.Optional(
      text(64, 'Of CSV and NDJSON, by its name in the Encoding Standard such as windows-1252; utf-8 when absent.'),
    ),
    compression: Type.Optional(
      Type.Unsafe<Compression>({
        type: 'string',
        enum: [...COMPRESSIONS],
        description: 'By the first bytes of the content when absent.',
      }),
    ),
    type_guessing: Type.Optional(
      Type.Boolean({ description: 'With create: false makes all columns of CSV and NDJSON text.' }),
    ),
    max_bad_rows: Type.Optional(
      Type.Union(
        [
          Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
          Type.String({ pattern: MAX_BAD_ROWS, description: 'A count, or a share such as 5%.' }),
        ],
        { description: 'More bad rows than that fail the import; any number when absent.' },
      ),
    ),
    region: Type.Optional(text(64, 'Of s3; us-east-1 when absent.')),
    endpoint: Type.Optional(text(4096, 'Of a store compatible with S3; AWS when absent.')),
    access_key_id: Type.Optional(text(256, 'Of s3; a public object is read without.')),
    secret_access_key: Type.Optional(text(512, 'Of s3. Kept encrypted.')),
  },
  { additionalProperties: false, description: 'Content to read into a data source.' },
)

/** The own fields of a job body of kind `import` (`docs/api/import.md`). */
export const importProperties = { import: Import } as const

export type ImportFields = Static<typeof Import>
export type ImportSpec = { readonly import: ImportFields }

/** As said, or as the address looks. */
export const formatOf = ({ format, url }: Pick<ImportFields, 'format' | 'url'>): DataFormat => {
  if (format !== undefined) return format
  const [, extension] = /\.(csv|ndjson|jsonl|parquet)(?:\.(?:gz|zst))?(?:[?#]|$)/i.exec(url) ?? []
  if (extension === undefined || /^csv$/i.test(extension)) return 'csv'
  return /^parquet$/i.test(extension) ? 'parquet' : 'ndjson'
}
