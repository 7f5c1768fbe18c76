import Type from 'typebox'
import { importProperties } from '../../executors/import/spec.ts'
import { DATA_FORMATS } from '../../model/data-source.ts'
import { choice, NullableText, strictObject } from './basics.ts'
import { ImportQuery } from './import.ts'

const { format, delimiter, quote, header, skip_lines, encoding, compression, type_guessing } = ImportQuery.properties
/** The options of content that is the body itself. */
export const InferQuery = strictObject({
  format,
  delimiter,
  quote,
  header,
  skip_lines,
  encoding,
  compression,
  type_guessing,
})

const given = importProperties.import.properties
/** The JSON body for content at a URL. */
export const InferBody = strictObject({
  url: given.url,
  format: given.format,
  delimiter: given.delimiter,
  quote: given.quote,
  header: given.header,
  skip_lines: given.skip_lines,
  encoding: given.encoding,
  compression: given.compression,
  type_guessing: given.type_guessing,
  region: given.region,
  endpoint: given.endpoint,
  access_key_id: given.access_key_id,
  secret_access_key: given.secret_access_key,
})

export const InferAnswer = Type.Object({
  schema: Type.Array(Type.Object({ name: Type.String(), type: Type.String(), json_path: NullableText })),
  engine: Type.String(),
  sorting_key: NullableText,
  format: choice(DATA_FORMATS),
  header: Type.Unsafe<boolean | null>({
    type: ['boolean', 'null'],
    description: 'CSV: whether the first line has column names; null for other formats.',
  }),
  delimiter: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    description: 'CSV: the delimiter; null for other formats.',
  }),
  rows: Type.Array(Type.Object({}, { additionalProperties: true }), {
    description: 'The first ten rows, by column name. CSV values are strings.',
  }),
  bytes_read: Type.Integer({ description: 'Bytes after decompression.' }),
  whole: Type.Boolean({ description: 'false: only the first MiB of CSV or NDJSON was examined.' }),
})
